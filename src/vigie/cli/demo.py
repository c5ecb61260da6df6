"""A local service that breaks and heals under the eyes of `serve`: an incident end to end within a minute."""

import asyncio
import email
import email.policy
import tempfile
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from vigie.errors import VigieError

app = typer.Typer(rich_markup_mode=None)

_PATIENCE_SECONDS = 45.0
_CONFIG = """\
language: {language}
store: {folder}/demo.db
log: {{file: null}}
web: {{enabled: false}}
control: []
llm: {llm}
notify: {{mail: {{type: email, to: you@demo.test, sender: vigie@demo.test, host: 127.0.0.1, port: {port}, tls: none}}}}
alerts: {{default: {{confirm: 3, confirm_every: 1s, recover: 2, to: [mail]}}}}
monitors:
  - {{name: Demo shop, url: "http://127.0.0.1:{site}/", every: 2s, timeout: 2s}}
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


@app.command(epilog="Example: vigie demo --language fr")
def demo(
    *,
    language: Annotated[Literal["fr", "en"], typer.Option(help="Language of the report.")] = "en",
    model: Annotated[str | None, typer.Option(help="Let this model of a local Ollama write too.")] = None,
) -> None:
    """Start a small site, break it, and show check, suspicion, incident, report, page and recovery, by the real engine."""
    from vigie import logs

    # The story is told by Rich; the log would tell it twice.
    logs.start(file=None, json=False, level="error", max_bytes=1, keep=0, secrets=(), console=False)
    with tempfile.TemporaryDirectory(prefix="vigie-demo-") as folder:
        asyncio.run(_Story(language, model, Path(folder)).play())


class _Story:
    """The demonstration, told with Rich."""

    def __init__(self, language: str, model: str | None, folder: Path) -> None:
        from rich.console import Console

        self._language, self._model, self._folder = language, model, folder
        self._console = Console(highlight=False)
        self._site, self._mailbox = Site(), Mailbox()
        self._started = time.monotonic()

    async def play(self) -> None:
        site = await asyncio.start_server(self._site.answer, "127.0.0.1", 0)
        mailbox = await asyncio.start_server(self._mailbox.answer, "127.0.0.1", 0)
        service = self._service(site.sockets[0].getsockname()[1], mailbox.sockets[0].getsockname()[1])
        service.core.ingest.listen_to_results(self._tell)
        self._say("A small shop opens on this machine; Vigie watches it every 2 seconds.")
        await service.start()
        try:
            await asyncio.sleep(4)
            self._say("[bold red]The shop's engine is switched off: it answers 502 now.[/]")
            self._site.broken = True
            await self._mail("page")
            self._say("[bold green]The engine is switched on again.[/]")
            self._site.broken = False
            await self._mail("recovery")
            self._say("That was one incident: one page, one recovery. Next: `vigie init`, then `vigie serve`.")
        finally:
            await service.stop()
            site.close()
            mailbox.close()

    def _service(self, site: int, port: int) -> Any:
        import os

        from vigie.clock import SystemClock
        from vigie.config import load
        from vigie.service import Service

        llm = f"{{provider: ollama, model: '{self._model}'}}" if self._model else "{provider: none}"
        file = self._folder / "vigie.yaml"
        file.write_text(_CONFIG.format(language=self._language, folder=self._folder, llm=llm, port=port, site=site), encoding="utf-8")
        found = load(file, dict(os.environ), self._folder)
        return Service(found, SystemClock(), lambda: found)

    async def _tell(self, turn: Any) -> None:
        result = turn.result
        if result is not None:
            colour = {"up": "green", "down": "red"}.get(result.status, "yellow")
            total = result.timings.total or 0
            self._say(f"check: [{colour}]{result.status}[/] {result.message} in {total:.1f} ms")
        for decision in turn.decisions:
            self._say(f"[bold]{type(decision).__name__.lower()}[/] {getattr(decision, 'incident', '')}")

    async def _mail(self, what: str) -> None:
        from rich.panel import Panel
        from rich.text import Text

        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._mailbox.arrived.wait()
        except TimeoutError:
            raise VigieError(f"no {what} came within {_PATIENCE_SECONDS:g} s", "this is a fault of Vigie's: please report it") from None
        self._mailbox.arrived.clear()
        mail = self._mailbox.mails[-1]
        body = mail.get_body(("plain",))
        words = body.get_content() if body is not None else ""
        self._console.print(Panel(Text(str(words).strip()), title=Text(f"mail: {mail['Subject']}"), title_align="left"))

    def _say(self, words: str) -> None:
        self._console.print(f"[dim]{time.monotonic() - self._started:5.1f} s[/]  {words}")
