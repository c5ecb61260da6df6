"""The read-only status page and its JSON health endpoint."""
