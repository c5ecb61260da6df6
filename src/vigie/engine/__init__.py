"""The only async logic: it moves data between the core and the ports, and never names an adapter."""
