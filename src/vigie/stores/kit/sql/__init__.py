"""The sides of a store over SQL: one text for every database, in the subset that they share and the few tokens that a `Db` translates."""
