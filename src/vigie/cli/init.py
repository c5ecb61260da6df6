"""Write a commented vigie.yaml and .env, after a few questions on a terminal."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from vigie.errors import VigieError

app = typer.Typer(rich_markup_mode=None)

_YAML = """\
# Vigie's configuration. Every key: docs/configuration.md; `vigie config check` says what is wrong, with the line.
language: {language}                       # of reports, mails and pages: fr or en

# The report's model. Without Ollama the plain report goes out; `provider: none` says so from the start.
llm: {{provider: ollama, model: llama3, url: "http://localhost:11434"}}

notify:
  mail: {{type: email}}                # SMTP_* and EMAIL_* come from .env
  # slack: {{type: slack, url: "${{SLACK_WEBHOOK}}"}}

alerts:
  # Three failures in a row, five seconds apart, open an incident; two good checks close it.
  default: {{confirm: 3, confirm_every: 5s, recover: 2, remind: 4h, to: [mail]}}

monitors:
  - url: {url}
    every: 60s
    timeout: 10s
    # expect: {{status: 200-299, keyword: ok, latency: 800ms, tls_days: 14}}
"""

_ENV = """\
# Secrets stay here, not in vigie.yaml; this file is readable by you alone.
EMAIL_SENDER={sender}
# For Gmail: an app password, made in the security page of the Google account.
EMAIL_PASSWORD={password}
EMAIL_RECEIVER={receiver}
SMTP_SERVER={server}
SMTP_PORT={port}
"""


@app.command(epilog="Examples: vigie init | vigie init --yes")
def init(
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take the defaults, ask nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
) -> None:
    """Write a commented vigie.yaml and .env here (asks a few questions on a terminal)."""
    files = [Path("vigie.yaml"), Path(".env")]
    there = [str(path) for path in files if path.exists()]
    if there and not force:
        raise VigieError(f"{' and '.join(there)} exist here already", "edit them, or overwrite them with --force")
    ask = not yes and sys.stdin.isatty()
    url = _asked("What shall be watched (URL)?", "https://ollama.com/", ask=ask)
    _check(url)
    language = _asked("Language of reports and mails (fr or en)?", _usual_language(), ask=ask)
    sender = _asked("Sender's mail address?", "vigie@example.com", ask=ask)
    receiver = _asked("Who shall be told (mail address)?", "team@example.com", ask=ask)
    server = _asked("Mail server?", "smtp.gmail.com" if sender.endswith("@gmail.com") else "smtp.example.com", ask=ask)
    port = _asked("Its port (587 STARTTLS, 465 TLS)?", "587", ask=ask)
    password = typer.prompt("Password (an app password for Gmail)", default="", hide_input=True, show_default=False) if ask else ""
    _write(files[0], _YAML.format(language="fr" if language == "fr" else "en", url=url))
    _write(files[1], _ENV.format(sender=sender, password=password, receiver=receiver, server=server, port=port))
    typer.echo(
        "Wrote vigie.yaml and .env. Next: fill in .env, then `vigie doctor`, `vigie notify test`, and `vigie once` or `vigie serve`."
    )


def _asked(question: str, default: str, *, ask: bool) -> str:
    return str(typer.prompt(question, default=default)).strip() if ask else default


def _check(url: str) -> None:
    from vigie.config import one_monitor

    one_monitor({"url": url})


def _usual_language() -> str:
    return "fr" if os.environ.get("LANG", "").lower().startswith("fr") else "en"


def _write(path: Path, text: str) -> None:
    """Readable by its owner alone from the first byte on: `.env` holds a password."""
    try:
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise VigieError(f"{path} cannot be written: {error.strerror}", "change to a folder that you may write") from error
