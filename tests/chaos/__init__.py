"""A real fleet on loopback whose parts die in turn while services fail by script, and the verdict on what it recorded and sent."""
