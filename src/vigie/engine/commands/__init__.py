"""What people have a running Vigie do: one file for each port of `vigie.commands`."""
