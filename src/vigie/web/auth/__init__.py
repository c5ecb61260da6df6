"""Who may do what: accounts, logins, sessions, tokens, the audit log. Each module with `routes(site)` is mounted."""
