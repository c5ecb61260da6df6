"""Status pages for everybody: one module for each thing that is served, found by its `routes(site)`."""
