"""A local site that fails and recovers while `serve` monitors it: an incident from end to end within a minute."""

import asyncio
import email
import email.policy
import logging
import os
import tempfile
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated, Any

import typer

from vigie.cli.common import LocaleOption, command, locale_language, notes
from vigie.errors import VigieError
from vigie.report.wording import cause_words
from vigie.text import pick
from vigie.text.demo import STORY
from vigie.text.formatting import milliseconds

app = command()

_CALM_SECONDS, _PATIENCE_SECONDS = 2.5, 45.0
_CONFIG = """\
language: {language}
store: demo.db
log: {{file: null}}
web: {{enabled: false}}
control: []
llm: {llm}
notify: {{mail: {{type: email, to: you@demo.test, sender: vigie@demo.test, host: 127.0.0.1, port: {port}, tls: none}}}}
alerts: {{default: {{confirm: 3, confirm_every: 1s, recover: 2, to: [mail]}}}}
monitors:
  - {{name: "{name}", url: "http://127.0.0.1:{site}/", every: 2s, timeout: 2s}}
"""


@dataclass(slots=True)
class Site:
    """A service with one page; it answers 502 while it is broken."""

    broken: bool = False

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        try:
            await reader.readuntil(b"\r\n\r\n")
            status, body = ("502 Bad Gateway", "the shop's engine is gone") if self.broken else ("200 OK", "<title>Shop</title>")
            head = (
                f"HTTP/1.1 {status}\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            )
            writer.write((head + body).encode())
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@dataclass(slots=True)
class Mailbox:
    """A mail server that keeps what it gets: as much of SMTP (RFC 5321) as one sender needs."""

    mails: list[EmailMessage] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One session."""
        writer.write(b"220 demo ESMTP\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                self._keep(await reader.readuntil(b"\r\n.\r\n"))
            writer.write(b"250 ok\r\n" if verb != b"QUIT" else b"221 bye\r\n")
            if verb == b"QUIT":
                break
        writer.close()

    def _keep(self, data: bytes) -> None:
        plain = data.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
        found = email.message_from_bytes(plain, policy=email.policy.default)
        self.mails.append(found)
        self.arrived.set()


@app.command(
    epilog=notes(
        "vigie demo", "vigie demo --language fr", "vigie demo --model llama3          (with a local Ollama)", status="0 the demo completed"
    )
)
def demo(
    *,
    language: LocaleOption = None,
    model: Annotated[str | None, typer.Option(help="Have this model of a local Ollama write the report.")] = None,
) -> None:
    """Start a small site, break it, and show the checks, suspicion, incident, report, alert and recovery, with the real engine."""
    with tempfile.TemporaryDirectory(prefix="vigie-demo-", ignore_cleanup_errors=True) as folder:
        asyncio.run(_Story(language or locale_language(), model, Path(folder)).play())


class _Aside(logging.Handler):
    """What the analyst has to say about the model, in the story; everything else is told by the story itself."""

    def __init__(self, story: "_Story") -> None:
        super().__init__(logging.WARNING)
        self._story = story

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        if record.name == "vigie.analyst" or record.levelno >= logging.ERROR:
            self._story.say(f"[yellow]{_plain(record.getMessage())}[/]")


def _plain(words: str) -> str:
    from rich.markup import escape

    return escape(words)


class _Story:
    """The demonstration, told with Rich."""

    def __init__(self, language: str, model: str | None, folder: Path) -> None:
        from rich.console import Console

        self._language, self._model, self._folder = language, model, folder
        self._words = {name: pick(pair, language) for name, pair in STORY.items()}
        self._console = Console(highlight=False)
        self._site, self._mailbox, self._well = Site(), Mailbox(), asyncio.Event()
        self._started = time.monotonic()

    async def play(self) -> None:
        """From the opening of the shop to its recovery, some twelve seconds."""
        logger = logging.getLogger("vigie")
        logger.propagate = False
        logger.addHandler(aside := _Aside(self))
        site = await asyncio.start_server(self._site.answer, "127.0.0.1", 0)
        mailbox = await asyncio.start_server(self._mailbox.answer, "127.0.0.1", 0)
        service = self._service(site.sockets[0].getsockname()[1], mailbox.sockets[0].getsockname()[1])
        service.runtime.ingest.listen_to_results(self._tell)
        self.say(self._words["opens"])
        await service.start()
        try:
            await self._until(self._well, "passed check")
            await asyncio.sleep(_CALM_SECONDS)
            await self._act("breaks", broken=True)
            await self._act("heals", broken=False)
            self.say(f"[bold]{self._words['end']}[/]")
        finally:
            await service.stop()
            site.close()
            mailbox.close()
            logger.removeHandler(aside)

    async def _act(self, what: str, *, broken: bool) -> None:
        self.say(f"[bold {'red' if broken else 'green'}]{self._words[what]}[/]")
        self._site.broken = broken
        await self._mail()

    def _service(self, site: int, port: int) -> Any:
        from vigie.clock import SystemClock
        from vigie.config import load
        from vigie.server import Server

        llm = f"{{provider: ollama, model: '{self._model}'}}" if self._model else "{provider: none}"
        file = self._folder / "vigie.yaml"
        parts = {"language": self._language, "name": self._words["name"], "llm": llm, "port": port, "site": site}
        file.write_text(_CONFIG.format(**parts), encoding="utf-8")
        # The mail settings of whoever runs this belong to their own mail server, not to the demonstration's.
        known = {name: value for name, value in os.environ.items() if name == "OLLAMA_HOST"}
        found = load(file, known, self._folder)
        return Server(found, SystemClock(), lambda: found)

    async def _tell(self, turn: Any) -> None:
        result, words = turn.result, self._words
        if result is not None:
            if result.status == "up":
                self._well.set()
            colour = {"up": "green", "down": "red"}.get(result.status, "yellow")
            what = cause_words(result.cause, result.figures, self._language) if result.cause else result.message
            took = milliseconds(result.timings.total or 0, self._language)
            self.say(words["check"].format(status=f"[{colour}]{words[result.status]}[/]", what=_plain(what), took=took))
        for decision in turn.decisions:
            if template := words.get(type(decision).__name__.lower()):
                self.say(f"[bold]{template.format(incident=getattr(decision, 'incident', ''))}[/]")

    async def _mail(self) -> None:
        """Wait for the next mail, and show it."""
        from rich.panel import Panel
        from rich.text import Text

        await self._until(self._mailbox.arrived, "mail")
        self._mailbox.arrived.clear()
        mail = self._mailbox.mails[-1]
        body = mail.get_body(("plain",))
        words = body.get_content() if body is not None else ""
        title = Text(self._words["mail"].format(subject=mail["Subject"]))
        self._console.print(Panel(Text(str(words).strip()), title=title, title_align="left"))

    @staticmethod
    async def _until(event: asyncio.Event, what: str) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await event.wait()
        except TimeoutError:
            raise VigieError(f"no {what} within {_PATIENCE_SECONDS:g} s", "this is a bug in Vigie: please report it") from None

    def say(self, words: str) -> None:
        """A line of the story, with the seconds since its beginning."""
        from rich.table import Table

        line = Table.grid(padding=(0, 2))
        line.add_column(style="dim", no_wrap=True)
        line.add_column()
        line.add_row(f"{time.monotonic() - self._started:4.1f} s", words)
        self._console.print(line)
