"""Sentences about the frozen incidents, written before the checker was touched."""
