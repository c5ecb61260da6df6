"""Check from another place, and report to a `vigie serve`; enroll, list and revoke such agents."""

import asyncio
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vigie.cli._agents import add_to
from vigie.cli._stopping import on_signals
from vigie.cli.common import duration_in, group, logged, notes
from vigie.cli.common import run as run_loop
from vigie.errors import VigieError
from vigie.net import Proxies, Secret, Secrets

if TYPE_CHECKING:
    from vigie.remote import AgentSettings

app = group("Check from another place, and report to a `vigie serve`; enroll, list and revoke such agents.")
add_to(app)
_SIZE = re.compile(r"(\d{1,6})\s*(MB|GB|TB)", re.IGNORECASE)
_UNITS = {"mb": 1024**2, "gb": 1024**3, "tb": 1024**4}
_SMALLEST = 16 * 1024**2
_LOG_BYTES, _LOG_KEPT = 10 * 1024 * 1024, 5


@dataclass(frozen=True, slots=True)
class _Log:
    """What the log is to be."""

    file: Path | None
    json: bool
    level: str

    def start(self, secrets: Secrets) -> None:
        """Begin to log so, or go on with other secrets."""
        from vigie import logs

        logs.start(file=self.file, json=self.json, level=self.level, max_bytes=_LOG_BYTES, keep=_LOG_KEPT, secrets=secrets)


@app.callback(
    invoke_without_command=True,
    no_args_is_help=False,
    epilog="The token comes from VIGIE_AGENT_TOKEN, in the environment or in .env; options are also read from VIGIE_AGENT_SERVER "
    "(several with commas between them), VIGIE_AGENT_BUS and VIGIE_AGENT_STATE. "
    "SIGTERM or Ctrl-C stops it gracefully, a second one ends it at once.\n\n"
    + notes(
        "vigie agent enroll paris-1 --location paris",
        "VIGIE_AGENT_TOKEN=vigie_agent_… vigie agent --server https://vigie.example.com",
        "vigie agent --server https://vigie.example.com --state /var/lib/vigie-agent --spool-max 5GB",
        "vigie agent --server https://vigie-1.example.com --server https://vigie-2.example.com",
        status="0 stopped on request, 1 the stop took longer than 15 seconds and was cut short, 3 could not run: no token, a token that "
        "the servers refuse, an unusable --state, or another agent that has it",
    ),
)
def agent(
    ctx: typer.Context,
    *,
    server: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Address of `vigie serve`: https://vigie.example.com. Repeat it where there are several servers."),
    ] = None,
    bus: Annotated[
        str | None, typer.Option(metavar="URL", help="Address of NATS, where the fleet has it: nats://nats.example.com.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where it keeps what the servers do not have yet; ./vigie-agent.state if not given.")
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PEM file of authorities for the way to the servers, in place of the system's.")
    ] = None,
    insecure_http: Annotated[
        bool, typer.Option("--insecure-http", help="Allow http:// to another machine: the token and all results can be read on the way.")
    ] = False,
    spool_max: Annotated[str, typer.Option(metavar="SIZE", help="How much it keeps while it is cut off: 500MB, 5GB.")] = "1GB",
    spool_age: Annotated[str, typer.Option(metavar="DURATION", help="How long it keeps good results while it is cut off.")] = "7d",
    log_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Log to this file, too; it is rotated at 10 MB.")] = None,
    log_format: Annotated[Literal["text", "json"], typer.Option(help="Format of the log.")] = "text",
    log_level: Annotated[Literal["debug", "info", "warning", "error"], typer.Option(help="What is logged.")] = "info",
) -> None:
    """Check what the servers assign to this agent, from here, and report to them; there is no configuration file.

    Without a link it goes on checking and keeps the results, which are handed over when the link is back.
    """
    if ctx.invoked_subcommand is not None:
        return
    from vigie.config import variables
    from vigie.engine.remote.spool import Bounds
    from vigie.remote import AgentSettings

    values = variables.read(Path.cwd(), os.environ).values
    addresses = _addresses(server or re.split(r"[\s,]+", values.get("VIGIE_AGENT_SERVER", "")), bus or values.get("VIGIE_AGENT_BUS"))
    token, proxies = values.get("VIGIE_AGENT_TOKEN", "").strip(), Proxies.of(values)
    bounds = Bounds(_bytes(spool_max), duration_in(spool_age, "--spool-age"))
    folder = (state or Path(values.get("VIGIE_AGENT_STATE") or "vigie-agent.state")).absolute()
    found = AgentSettings(addresses, folder, Secret(token) if token else None, ca_file, insecure_http, proxies, bounds)
    _run(found, _Log(log_file, log_format == "json", log_level), Secrets(map(Secret, filter(None, (token, *proxies.secrets())))))


def _run(found: "AgentSettings", log: _Log, own: Secrets) -> None:
    from vigie.clock import SystemClock
    from vigie.remote import STOP_SECONDS, serve

    async def main() -> None:
        stop = asyncio.Event()
        on_signals(stop, STOP_SECONDS, "what is not handed over is kept until the next start")
        await serve(found, SystemClock(), stop, lambda secrets: log.start(own | secrets))

    log.start(own)
    with logged():
        run_loop(main())


def _addresses(servers: Sequence[str], bus: str | None) -> list[str]:
    """Each once, in their order."""
    found = list(dict.fromkeys(one.strip().rstrip("/") for one in servers if one.strip()))
    if found and bus:
        raise VigieError("--server and --bus are mutually exclusive", "use only one")
    if not found and not bus:
        raise VigieError("it is not said where the servers are", "give --server https://vigie.example.com (or --bus nats://…)")
    return found or [bus or ""]


def _bytes(text: str) -> int:
    found = _SIZE.fullmatch(text.strip())
    size = int(found[1]) * _UNITS[found[2].lower()] if found else 0
    if size < _SMALLEST:
        raise VigieError(f"--spool-max: {text!r} is not a size of 16 MB or more", "write 500MB or 5GB")
    return size
