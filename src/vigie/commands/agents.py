"""What people do about agents."""

from dataclasses import dataclass, field
from typing import Protocol

from vigie.ports import EnrolledAgent


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A new agent, and its token, which is shown this once."""

    agent: EnrolledAgent
    token: str = field(repr=False)


class AgentCommands(Protocol):
    """What people have done about agents."""

    async def enroll(self, name: str, location: str, by: str) -> Enrolled | None:
        """Let an agent in; None where one of this name is in already. Raises VigieError for what cannot be a name."""
        ...

    async def revoke(self, name: str) -> bool:
        """Let it in no longer; whether it was let in."""
        ...
