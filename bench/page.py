"""From the confirmed incident to the mail server: how long a page takes, on real sockets, without a model and with one that is slow.

`vigie serve` watches a site whose pages break one after the other. The clock starts when the decision `opened` was committed and ends when
the mail server has the whole message. STARTTLS each time, as with a provider.
"""

import asyncio
import time

from bench.ground import folder, middle, say
from bench.living import living, mail, monitor, until
from vigie.core.events import Opened
from vigie.engine.transition import Transition
from vigie.testing.ollama_server import Mode, ScriptedOllama
from vigie.testing.servers import serving
from vigie.testing.smtp_server import SmtpServer

PAGES = 12
APART_SECONDS = 0.3
HOLD = 2.0  # llm.hold, by default
ALERT = "alerts: {default: {confirm: 2, confirm_every: 1s, group: off}}\n"


class Site:
    """Pages that answer until they are broken."""

    def __init__(self) -> None:
        self.broken: set[str] = set()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        status = "503 Service Unavailable" if request.split(b" ")[1].decode() in self.broken else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".encode())
        await writer.drain()


async def arrivals(server: SmtpServer, seen: dict[str, float]) -> None:
    """Note when each mail came, by the incident in its key."""
    while True:
        await server.arrived.wait()
        server.arrived.clear()
        for received in server.mails[len(seen) :]:
            seen[str(received.mail["X-Vigie-Key"]).partition(".")[0]] = time.monotonic()


async def measure(llm: str) -> list[float]:
    """Seconds from each opened incident to its mail."""
    site, opened, came = Site(), dict[str, float](), dict[str, float]()

    def hear(turn: Transition) -> None:
        opened.update((decision.incident, time.monotonic()) for decision in turn.decisions if isinstance(decision, Opened))

    with folder() as place:
        async with SmtpServer(place) as server, serving(site.answer) as port:
            watched = "".join(monitor(f"page{number}", f"http://127.0.0.1:{port}/{number}") for number in range(PAGES))
            text = f"{llm}notify: {{mail: {mail(server.port, server.ca_file)}}}\n{ALERT}monitors:\n{watched}"
            async with living(text) as one:
                one.hear = hear
                noting = asyncio.create_task(arrivals(server, came))
                await until(lambda: all(state.status for state in one.service.runtime.ingest.states()), 15)
                for number in range(PAGES):
                    site.broken.add(f"/{number}")
                    await asyncio.sleep(APART_SECONDS)
                if not await until(lambda: len(came) == PAGES, 30):
                    print(f"{PAGES - len(came)} of {PAGES} pages did not come", flush=True)
                noting.cancel()
    return [came[incident] - at for incident, at in opened.items() if incident in came]


async def run() -> None:
    """Both."""
    plain = await measure("llm: {provider: none}\n")
    say("page without a model, the slowest", max(plain), "s", 2, f"median {middle(plain):.2f} of {len(plain)}")
    async with ScriptedOllama(Mode.DRIP) as model:  # tokens for ever: the deadline is a minute away
        slow = await measure(f"llm: {{provider: ollama, model: llama3, url: '{model.url}', hold: {HOLD:g}s}}\n")
    say(
        "page with a slow model, the slowest", max(slow), "s", 2 + HOLD, f"median {middle(slow):.2f} of {len(slow)}; the hold is {HOLD:g} s"
    )


def main() -> None:
    """Measure both."""
    asyncio.run(run())


if __name__ == "__main__":
    main()
