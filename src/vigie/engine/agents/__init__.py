"""Agents far away: who may report and how each is, who checks what, what they are told, what they hand in, and those that are silent."""
