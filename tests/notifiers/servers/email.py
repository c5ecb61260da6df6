"""A mail server."""

from vigie.testing.notifier_rigs import open_rig

RIGS = {"smtp": lambda folder: open_rig("email", folder)}
