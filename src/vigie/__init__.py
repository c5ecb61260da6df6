"""Vigie: a service-availability monitor that pages with a certified report."""

__version__ = "0.1.0"
