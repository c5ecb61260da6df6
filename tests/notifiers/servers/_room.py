"""What a room of a chat service shows: messages, answers to them, the newest text of each."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Post:
    """A message: its newest body as it was sent, the one that it answers, and who was pinged by it."""

    body: Any
    raw: bytes
    parent: str = ""
    identity: str = ""


@dataclass(slots=True)
class Room:
    """Messages by the names that the service gives them, oldest first."""

    posts: dict[str, Post] = field(default_factory=dict)
    last: int = 1000

    def next(self) -> int:
        """A number that no message has yet."""
        self.last += 1
        return self.last

    def known(self, identity: str) -> str | None:
        """The name of the message that came with this key of a copy."""
        return next((name for name, post in self.posts.items() if identity and post.identity == identity), None)
