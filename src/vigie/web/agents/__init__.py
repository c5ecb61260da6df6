"""Where agents in other places report over HTTPS, each by its own token."""
