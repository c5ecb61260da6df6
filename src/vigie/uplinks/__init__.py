"""How an agent reaches its servers: one file per way, named by the scheme of their address.

Each has a `Config` (with `of(address)`), and `build(config, deps)`, which gives an `Uplink`.
"""
