"""A Redis or Valkey server: login, PING, and what INFO says.

The protocol is RESP2 (redis.io/docs/latest/develop/reference/protocol-spec): a few lines, so it is spoken here and every phase is timed.
"""

from typing import Annotated, Any, ClassVar, Literal

import msgspec

from vigie.probes.kit.comparison import check_key
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.service import Account, ServiceProbe, mismatch, read_text, value_mismatch
from vigie.probes.kit.stream import Dialogue

_MAX_INFO = 1_048_576
_WORDS = {
    "NOAUTH": "the server wants a login",
    "WRONGPASS": "the login is refused",
    "LOADING": "the server is still loading its data",
    "DENIED": "the server accepts connections from its own machine only (protected mode)",
    "MASTERDOWN": "the replica has lost its master",
    "NOPERM": "the user is not allowed to do this",
}


class Expect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What INFO must say."""

    role: Annotated[Literal["master", "replica"] | None, msgspec.Meta(description="Its role in replication.")] = None
    info: Annotated[
        dict[str, str | int | float],
        msgspec.Meta(
            description="Fields of INFO and their values; see [comparisons](comparisons.md).",
            examples=[{"master_link_status": "up", "connected_clients": "< 500"}],
        ),
    ] = {}

    def __post_init__(self) -> None:
        """Raise FieldError for a comparison that can never hold."""
        for name, value in self.info.items():
            check_key("info", value, name)


class Config(Account, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Redis or Valkey server: port 6379. It is asked for PONG, and for INFO where something is expected of it."""

    schemes: ClassVar[dict[str, str]] = {"redis": "off", "rediss": "implicit"}
    ports: ClassVar[dict[str, int]] = {"off": 6379, "implicit": 6379}

    tls: Annotated[Literal["off", "implicit"], msgspec.Meta(description="No TLS, or TLS from the first byte.")] = "off"
    database: Annotated[int, msgspec.Meta(description="Number of the database.", ge=0, le=2_147_483_647)] = 0
    expect: Annotated[Expect, msgspec.Meta(description="What INFO must say.")] = Expect()

    @classmethod
    def keys_of_path(cls, path: str) -> dict[str, Any]:
        """The database's number."""
        return {"database": path} if path else {}


def build(config: Config, deps: ProbeDeps) -> ServiceProbe:
    """The probe of one monitor."""
    return ServiceProbe(config.peer(), deps, lambda dialogue: _talk(config, dialogue))


async def _talk(config: Config, dialogue: Dialogue) -> str:
    if config.password is not None:
        named = (config.user,) if config.user is not None else ()
        await _ask(dialogue, "the login is refused", "AUTH", *named, config.secret)
    if config.database:
        await _ask(dialogue, "the database cannot be selected", "SELECT", str(config.database))
    pong = await _ask(dialogue, "PING is refused", "PING")
    if pong != "PONG":
        raise mismatch(dialogue, "the answer to PING is not PONG", answer=pong)
    if config.expect != Expect():
        text = await _ask(dialogue, "INFO is refused", "INFO")
        _judge(config.expect, dialogue, dict(line.split(":", 1) for line in text.splitlines() if ":" in line))
    await dialogue.say_goodbye(_command("QUIT"))
    return "PONG"


def _command(*words: str) -> bytes:
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


async def _ask(dialogue: Dialogue, refused: str, *words: str) -> str:
    """The text of the answer; raises CheckFailed for an error, with its code and the `refused` words unless the code has better ones."""
    await dialogue.send(_command(*words))
    line = await read_text(dialogue)
    kind, rest = line[:1], line[1:]
    if kind == "-":
        code, _, said = rest.partition(" ")
        raise mismatch(dialogue, _WORDS.get(code, refused), code, said)
    if kind in ("+", ":"):
        return rest
    if kind != "$" or not rest.isdecimal() or len(rest) > 7 or int(rest) > _MAX_INFO:
        raise mismatch(dialogue, "the answer is not Redis", answer=line)
    return (await dialogue.read_exactly(int(rest) + 2))[:-2].decode("utf-8", "replace")


def _judge(expect: Expect, dialogue: Dialogue, info: dict[str, str]) -> None:
    """Raise CheckFailed for the first field that is not as expected."""
    if info.get("role") == "slave":
        info["role"] = "replica"  # as the server's own documents call it today
    for name, value in {**({} if expect.role is None else {"role": expect.role}), **expect.info}.items():
        if wrong := value_mismatch(dialogue, name, info.get(name), value):
            raise wrong
