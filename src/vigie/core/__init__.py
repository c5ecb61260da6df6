"""The pure core: it decides, and touches nothing. Instants and durations are whole milliseconds."""
