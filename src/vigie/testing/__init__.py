"""Shipped test kit: a virtual-time event loop, scripted servers, and the conformance suites."""

from vigie.testing.loop import VirtualClock, VirtualLoop, run_virtual

__all__ = ["VirtualClock", "VirtualLoop", "run_virtual"]
