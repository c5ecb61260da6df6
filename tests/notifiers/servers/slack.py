"""Slack."""

from vigie.testing.notifier_rigs import open_rig

RIGS = {"webhook": lambda folder: open_rig("slack", folder)}
