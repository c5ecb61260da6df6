"""What is remembered of what runs out; when that is announced is decided elsewhere (observation/expiry.py)."""

import hashlib
from dataclasses import dataclass

from vigie.core.model import ExpiryKind


@dataclass(frozen=True, slots=True)
class Warned:
    """What was announced of one expiry: the smallest step so far. `places` still serve it; `renewed_until`: it was replaced. Epoch ms."""

    of: str
    kind: ExpiryKind
    name: str
    ends_at: int
    step_ms: int
    seen_at: int
    places: tuple[str, ...] = ()
    renewed_until: int | None = None

    @property
    def thread(self) -> str:
        """The thread of its notices: the same for all monitors that see it."""
        return f"expiry-{hashlib.blake2b(f'{self.kind}:{self.name}:{self.ends_at}'.encode(), digest_size=4).hexdigest()}"


Known = tuple[Warned, ...]
