"""Where state is kept: one package or file per kind of database."""
