"""What people have done by page or API: one file for each port of `vigie.commands`."""
