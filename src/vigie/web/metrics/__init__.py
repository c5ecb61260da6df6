"""What other monitors read: metrics and readiness; one module each, found by its `routes(site)`."""
