"""NATS as agents and servers use it: the address of a bus, credentials, one connection that is kept, JetStream's answers, publishing.

Nothing here knows what is carried. `nats-py` (the extra `nats`) is imported where a connection is made.
"""
