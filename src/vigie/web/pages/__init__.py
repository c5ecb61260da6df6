"""The pages of the dashboard: one module each, found by its `routes(site)`."""
