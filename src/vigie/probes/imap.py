"""A mailbox server: greeting, CAPABILITY, STARTTLS, login, NOOP and LOGOUT (RFC 9051, RFC 3501). No mailbox is opened.

The exchange is a page of text, so it is spoken here and every phase is timed.
"""

import re
from dataclasses import replace
from typing import ClassVar

from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.service import MailAccount, ServiceProbe, mismatch, read_text, sasl_plain
from vigie.probes.kit.stream import Dialogue

_STATUS = re.compile(r"(OK|NO|BAD|BYE|PREAUTH)(?: \[([A-Z0-9-]++)[^\]]*+\])?+(?: (.*+))?+", re.IGNORECASE)
_QUOTABLE = re.compile(r"[ -~]*")
_MAX_LINES = 200


class Config(MailAccount, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mailbox server, asked by IMAP: port 143, or 993 with `tls: implicit`. No mailbox is opened."""

    schemes: ClassVar[dict[str, str]] = {"imap": "off", "imaps": "implicit"}
    ports: ClassVar[dict[str, int]] = {"off": 143, "starttls": 143, "implicit": 993}


def build(config: Config, deps: ProbeDeps) -> ServiceProbe:
    """The probe of one monitor."""
    peer = config.peer()
    peer = replace(peer, secrets=(*peer.secrets, _quoted(config.secret)[1:-1]))
    return ServiceProbe(peer, deps, lambda dialogue: _Talk(config, dialogue).run())


def _quoted(text: str) -> str:
    """A quoted string (RFC 9051 §4.3)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class _Talk:
    """One conversation; every command has its own tag."""

    def __init__(self, config: Config, dialogue: Dialogue) -> None:
        self._config, self._dialogue, self._asked = config, dialogue, 0

    async def run(self) -> str:
        preauthenticated = await self._greeting()
        offers = await self._capabilities()
        if self._config.tls == "starttls":
            if preauthenticated or "STARTTLS" not in offers:
                raise mismatch(self._dialogue, "STARTTLS is not offered", refused=True)
            await self._ask("STARTTLS", "STARTTLS is refused")
            await self._dialogue.start_tls()
            offers = await self._capabilities()
        if self._config.user is not None and not preauthenticated:
            await self._login(offers)
        await self._ask("NOOP", "the server rejects NOOP")
        await self._dialogue.say_goodbye(b"bye LOGOUT\r\n")
        return "IMAP answers" if self._config.user is None else "IMAP answers, login accepted"

    async def _greeting(self) -> bool:
        """Whether the connection counts as logged in already."""
        line = await read_text(self._dialogue)
        match = _STATUS.fullmatch(line.removeprefix("* ")) if line.startswith("* ") else None
        if match is None or match[1].upper() in ("NO", "BAD"):
            raise mismatch(self._dialogue, "the greeting is not IMAP", answer=line)
        if match[1].upper() == "BYE":
            raise mismatch(self._dialogue, "the server refuses the connection in its greeting", match[2] or "BYE", match[3] or "")
        return match[1].upper() == "PREAUTH"

    async def _capabilities(self) -> set[str]:
        lines = await self._ask("CAPABILITY", "the server rejects CAPABILITY")
        return {word for line in lines if line.upper().startswith("CAPABILITY ") for word in line.upper().split()[1:]}

    async def _login(self, offers: set[str]) -> None:
        user, password = self._config.user or "", self._config.secret
        refused = "the login is refused"
        if "AUTH=PLAIN" in offers:
            answer = sasl_plain(user, password)
            if "SASL-IR" in offers:  # RFC 4959
                await self._ask(f"AUTHENTICATE PLAIN {answer}", refused)
            else:
                await self._ask("AUTHENTICATE PLAIN", refused, answer)
        elif "LOGINDISABLED" not in offers and _QUOTABLE.fullmatch(user + password):
            await self._ask(f"LOGIN {_quoted(user)} {_quoted(password)}", refused)
        else:
            raise mismatch(self._dialogue, "the server does not offer a password login", answer=" ".join(sorted(offers)), refused=True)

    async def _ask(self, command: str, words: str, then: str | None = None) -> list[str]:
        """The untagged lines that answer a command; raises CheckFailed unless it ends in OK. `then` is said when the server wants more."""
        self._asked += 1
        tag = f"v{self._asked}"
        await self._dialogue.send(f"{tag} {command}\r\n".encode())
        lines: list[str] = []
        for _ in range(_MAX_LINES):
            line = await read_text(self._dialogue)
            kind, _, rest = line.partition(" ")
            match = _STATUS.fullmatch(rest)
            if kind == tag and match is not None:
                if match[1].upper() == "OK":
                    return lines
                raise mismatch(self._dialogue, words, match[2] or match[1].upper(), match[3] or "")
            if kind == "*" and match is not None and match[1].upper() == "BYE":
                raise mismatch(self._dialogue, "the server closed the connection", match[2] or "BYE", match[3] or "")
            if kind == "*":
                lines.append(rest)
            elif kind == "+" and then is not None:
                await self._dialogue.send(f"{then}\r\n".encode())
                then = None
            else:
                raise mismatch(self._dialogue, "the answer is not IMAP", answer=line)
        raise mismatch(self._dialogue, f"an answer of more than {_MAX_LINES} lines")
