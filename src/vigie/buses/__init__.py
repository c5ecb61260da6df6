"""How batches of results travel from those who probe to ingest."""
