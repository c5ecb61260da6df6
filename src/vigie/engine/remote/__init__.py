"""What an agent does that is far from its servers: it keeps what it measures until they have it, and does what they say."""
