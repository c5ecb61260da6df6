"""Write a commented vigie.yaml and .env, after a few questions on a terminal."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from vigie.cli.common import INTERRUPTED, command, notes
from vigie.errors import ConfigError, VigieError

app = command()

_YAML = """\
# Vigie's configuration. Every key: docs/configuration.md; `vigie config check` says what is wrong, with the line.
language: {language}                       # of reports, emails and web pages: fr or en

# The model that writes reports. Without Ollama, the plain report is sent; `provider: none` turns the model off.
llm: {{provider: ollama, model: "${{OLLAMA_MODEL:-llama3}}"}}

notify:
  mail: {{type: email}}                # SMTP_* and EMAIL_* come from .env
  # slack: {{type: slack, url: "${{SLACK_WEBHOOK}}"}}

alerts:
  # Three consecutive failures, five seconds apart, open an incident; two passed checks close it.
  default: {{confirm: 3, confirm_every: 5s, recover: 2, remind: 4h, to: [mail]}}

monitors:
  - url: {url}
    every: 60s
    timeout: 10s
    # expect: {{status: 200-299, keyword: ok, latency: 800ms, tls_days: 14}}
"""

_ENV = """\
# Secrets go here, not in vigie.yaml; only you can read this file.
EMAIL_SENDER={sender}
# For Gmail: an app password, created on the security page of the Google account.
EMAIL_PASSWORD={password}
EMAIL_RECEIVER={receiver}
SMTP_SERVER={server}
# 587: STARTTLS; 465: implicit TLS.
SMTP_PORT={port}
"""


@app.command(epilog=notes("vigie init", "vigie init --yes", "vigie init --force            (writes both files anew)"))
def init(
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Use the defaults, ask nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
) -> None:
    """Write a commented vigie.yaml and .env here (asks a few questions on a terminal); existing files are kept."""
    wanted = [path for path in (Path("vigie.yaml"), Path(".env")) if force or not (path.exists() or path.is_symlink())]
    if not wanted:
        raise VigieError("vigie.yaml and .env already exist here", "edit them, or overwrite them with --force")
    try:
        texts = _texts([str(path) for path in wanted], ask=not yes and sys.stdin.isatty())
    except typer.Abort:
        typer.echo("\nNothing was written.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    for path in wanted:
        _write(path, texts[str(path)])
    kept = [str(path) for path in (Path("vigie.yaml"), Path(".env")) if path not in wanted]
    typer.echo(f"Wrote {' and '.join(str(path) for path in wanted)}" + (f"; kept the existing {kept[0]}." if kept else "."))
    first = "" if kept == [".env"] else "fill in .env, then "
    typer.echo(f"Next: {first}`vigie doctor`, `vigie notify test`, and `vigie once` or `vigie serve`.")


def _texts(wanted: list[str], *, ask: bool) -> dict[str, str]:
    """The files' texts, by name; only what they need is asked for."""
    texts = {}
    if "vigie.yaml" in wanted:
        url = _asked("What should Vigie monitor (URL)?", _usual_url(), _is_url, ask=ask)
        language = _asked("Language of reports and emails (fr or en)?", _usual_language(), _is_language, ask=ask)
        texts["vigie.yaml"] = _YAML.format(language=language, url=json.dumps(url).replace("${", "$${"))
    if ".env" in wanted:
        sender = _asked("Sender's email address?", "vigie@example.com", _is_mail("sender"), ask=ask)
        receiver = _asked("Where should alerts go (email address)?", "team@example.com", _is_mail("to"), ask=ask)
        usual = "smtp.gmail.com" if sender.endswith("@gmail.com") else f"smtp.{sender.rpartition('@')[2]}"
        server = _asked("Mail server?", usual, _is_mail("host"), ask=ask)
        port = _asked("Mail server port (587: STARTTLS, 465: implicit TLS)?", "587", _is_port, ask=ask)
        hint = "an app password of the Google account" if server == "smtp.gmail.com" else "empty if the server needs none"
        password = typer.prompt(f"Password ({hint})", default="", hide_input=True, show_default=False) if ask else ""
        texts[".env"] = _ENV.format(sender=sender, password=_quoted(password), receiver=receiver, server=server, port=port)
    return texts


def _asked(question: str, default: str, check: Callable[[str], None], *, ask: bool) -> str:
    """The answer, asked for until it is right; the default where nobody is there to answer."""
    while ask:
        answer = str(typer.prompt(question, default=default)).strip()
        try:
            check(answer)
        except ValueError as error:
            typer.echo(f"  {error}")
        else:
            return answer
    return default


def _is_url(text: str) -> None:
    from vigie.config import one_monitor

    try:
        one_monitor({"url": text})
    except ConfigError as error:
        raise ValueError(error.faults[0].message) from error


def _is_language(text: str) -> None:
    if text not in ("fr", "en"):
        raise ValueError(f"{text!r} must be fr or en")


def _is_mail(key: str) -> Callable[[str], None]:
    """A check of one of the mail channel's own keys, by its own words."""
    good: dict[str, Any] = {"to": "team@example.com", "sender": "vigie@example.com", "host": "smtp.example.com"}

    def check(text: str) -> None:
        from vigie import plugins

        plugins.load("notifiers", "email").Config(**{**good, key: text})

    return check


def _is_port(text: str) -> None:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65_535):
        raise ValueError(f"{text!r} is not a port; write 587 or 465")


def _quoted(secret: str) -> str:
    """As `.env` reads it back, whatever it holds."""
    if not secret or secret.isalnum():
        return secret
    return "'" + secret.replace("\\", "\\\\").replace("'", "\\'").replace("${", "${:-$}{") + "'"


def _usual_url() -> str:
    """What a `.env` that is here already watches, else Ollama's page."""
    from vigie.config import variables

    found = variables.read(Path.cwd(), os.environ).values.get("SERVICE_URL", "")
    try:
        _is_url(found)
    except ValueError:
        return "https://ollama.com/"
    return found


def _usual_language() -> str:
    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "fr" if spoken.lower().startswith("fr") else "en"


def _write(path: Path, text: str) -> None:
    """Readable by its owner alone from the first byte on: `.env` holds a password. What was there is replaced as a whole."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(path)
    except OSError as error:
        raise VigieError(f"{path} cannot be written: {error.strerror}", "change to a directory that you can write to") from error
