"""A memcached server: its version, and whether it still has free connections.

The text protocol is a few lines (https://github.com/memcached/memcached/blob/master/doc/protocol.txt).
"""

from typing import Annotated, ClassVar

import msgspec

from vigie.probes.kit.comparison import check_key
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.keys import Meta
from vigie.probes.kit.service import Secured, ServiceProbe, mismatch, value_mismatch
from vigie.probes.kit.stream import Dialogue


class Config(Secured, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One memcached server: port 11211. It is asked for its version, and for `stats` if something is expected of them."""

    schemes: ClassVar[dict[str, str]] = {"memcached": "off", "memcacheds": "implicit"}
    ports: ClassVar[dict[str, int]] = {"off": 11211, "implicit": 11211}

    stats: Annotated[
        dict[str, str | int | float],
        Meta(
            description="Fields of `stats` and their values; see docs/comparisons.md.",
            examples=[{"accepting_conns": 1, "curr_connections": "< 900"}],
        ),
    ] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError for an invalid host, or a comparison that can never hold."""
        super().__post_init__()
        for name, wanted in self.stats.items():
            check_key("stats", wanted, name)


def build(config: Config, deps: ProbeDeps) -> ServiceProbe:
    """The probe of one monitor."""
    return ServiceProbe(config.peer(), deps, lambda dialogue: _talk(config, dialogue))


async def _talk(config: Config, dialogue: Dialogue) -> str:
    """The message of a good check; raises CheckFailed for anything else."""
    await dialogue.send(b"version\r\n")
    line = await dialogue.read_line()
    if not line.startswith("VERSION "):
        raise mismatch(dialogue, "the response is not memcached's", answer=line)
    if config.stats:
        stats = await _stats(dialogue)
        for name, wanted in config.stats.items():
            if wrong := value_mismatch(dialogue, name, stats.get(name), wanted):
                raise wrong
    await dialogue.say_goodbye(b"quit\r\n")
    return f"memcached {dialogue.quoted(line.removeprefix('VERSION '))}"


async def _stats(dialogue: Dialogue) -> dict[str, str]:
    """Name and value of every statistic; there are fewer than a thousand."""
    await dialogue.send(b"stats\r\n")
    found: dict[str, str] = {}
    while len(found) < 1_000:
        line = await dialogue.read_line()
        if line == "END":
            return found
        words = line.split(" ", 2)
        if len(words) != 3 or words[0] != "STAT":
            raise mismatch(dialogue, "the response to stats is not memcached's", answer=line)
        found[words[1]] = words[2]
    raise mismatch(dialogue, "the response to stats has no end")
