"""What stores share: how results and records are packed."""
