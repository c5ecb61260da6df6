"""Kinds of check: one file or package each, found by its name. What they share is in `kit`; docs/writing-a-check.md says how to add one."""
