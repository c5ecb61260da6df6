"""A mail server: greeting, EHLO, STARTTLS, login and NOOP (RFC 5321, 3207, 4954). No mail is sent.

The exchange is a page of text, so it is spoken here and every phase is timed.
"""

import ipaddress
import re
from typing import Annotated, ClassVar

import msgspec

from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.service import MailAccount, ServiceProbe, in_base64, mismatch, read_text, sasl_plain
from vigie.probes.kit.stream import Dialogue
from vigie.probes.kit.verdict import CheckFailed

_REPLY = re.compile(r"([2-5]\d\d)(?:([ -])(.*))?")  # RFC 5321 §4.2; some servers leave out the blank
_MAX_LINES = 100


class Config(MailAccount, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mail server, asked by SMTP: port 25, or 465 with `tls: implicit`. No mail is sent."""

    schemes: ClassVar[dict[str, str]] = {"smtp": "off", "smtps": "implicit"}
    ports: ClassVar[dict[str, int]] = {"off": 25, "starttls": 25, "implicit": 465}

    helo: Annotated[
        Annotated[str, msgspec.Meta(pattern=r"^[!-~]+$")] | None,
        msgspec.Meta(description="Name that Vigie introduces itself with; its address if not set.", examples=["monitor.example.com"]),
    ] = None


def build(config: Config, deps: ProbeDeps) -> ServiceProbe:
    """The probe of one monitor."""
    return ServiceProbe(config.peer(), deps, _Talk(config).run)


class _Talk:
    """One conversation."""

    def __init__(self, config: Config) -> None:
        self._config = config

    async def run(self, dialogue: Dialogue) -> str:
        await self._reply(dialogue, "the server refuses the connection in its greeting", "220")
        offers = await self._ehlo(dialogue)
        if self._config.tls == "starttls":
            if "STARTTLS" not in offers:
                raise mismatch(dialogue, "STARTTLS is not offered", refused=True)
            await self._ask(dialogue, "STARTTLS", "STARTTLS is refused", "220")
            await dialogue.start_tls()
            offers = await self._ehlo(dialogue)
        if self._config.user is not None:
            await self._login(dialogue, offers.get("AUTH", "").upper().split())
        await self._ask(dialogue, "NOOP", "the server rejects NOOP", "250")
        await dialogue.say_goodbye(b"QUIT\r\n")
        return "SMTP answers" if self._config.user is None else "SMTP answers, login accepted"

    async def _ehlo(self, dialogue: Dialogue) -> dict[str, str]:
        """What the server offers: keyword in capitals -> its parameters. A server that knows no EHLO is asked by HELO."""
        name = self._config.helo or _literal(dialogue.own_address)
        try:
            lines = await self._ask(dialogue, f"EHLO {name}", "the server refuses EHLO", "250")
        except CheckFailed as failed:
            if failed.verdict.figures.get("code") not in ("500", "502"):
                raise
            await self._ask(dialogue, f"HELO {name}", "the server refuses EHLO and HELO", "250")
            return {}
        return {words[0].upper(): " ".join(words[1:]) for line in lines[1:] if (words := line.replace("=", " ").split())}

    async def _login(self, dialogue: Dialogue, methods: list[str]) -> None:
        user, password = self._config.user or "", self._config.secret
        refused = "the login is refused"
        if "PLAIN" in methods:
            await self._ask(dialogue, f"AUTH PLAIN {sasl_plain(user, password)}", refused, "235")
        elif "LOGIN" in methods:
            await self._ask(dialogue, "AUTH LOGIN", refused, "334")
            await self._ask(dialogue, in_base64(user), refused, "334")
            await self._ask(dialogue, in_base64(password), refused, "235")
        else:
            raise mismatch(dialogue, "the server does not offer a password login", answer=" ".join(methods), refused=True)

    async def _ask(self, dialogue: Dialogue, command: str, words: str, wanted: str) -> list[str]:
        await dialogue.send(f"{command}\r\n".encode())
        return await self._reply(dialogue, words, wanted)

    @staticmethod
    async def _reply(dialogue: Dialogue, words: str, wanted: str) -> list[str]:
        """The texts of a reply's lines; raises CheckFailed unless it has the wanted code."""
        texts: list[str] = []
        for _ in range(_MAX_LINES):
            line = await read_text(dialogue)
            match = _REPLY.fullmatch(line)
            if match is None:
                raise mismatch(dialogue, "the answer is not SMTP", answer=line)
            texts.append(match[3] or "")
            if match[2] != "-":
                if match[1] != wanted:
                    raise mismatch(dialogue, words, match[1], texts[0])
                return texts
        raise mismatch(dialogue, f"a reply of more than {_MAX_LINES} lines")


def _literal(address: str) -> str:
    """An address as EHLO takes it (RFC 5321 §4.1.3)."""
    try:
        return f"[IPv6:{address}]" if ipaddress.ip_address(address).version == 6 else f"[{address}]"
    except ValueError:  # a link-local one with its zone
        return "localhost"
