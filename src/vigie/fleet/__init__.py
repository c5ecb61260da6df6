"""What servers and agents of a fleet say to each other, and who does what: values and pure functions, below whoever sends them."""
