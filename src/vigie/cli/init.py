"""Write a commented vigie.yaml and .env, after a few questions on a terminal."""

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from vigie.cli.common import INTERRUPTED, LocaleOption, command, locale_language, notes
from vigie.errors import ConfigError, VigieError
from vigie.text import pick
from vigie.text.init import ENV, WORDS, YAML

app = command()


@app.command(
    epilog=notes(
        "vigie init",
        "vigie init --yes",
        "vigie init --language fr",
        "vigie init --force            (writes both files anew)",
        status="0 written, 3 both files exist or cannot be written, 130 interrupted (nothing was written)",
    )
)
def init(
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Use the defaults, ask nothing.")] = False,
    language: LocaleOption = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
) -> None:
    """Write a commented vigie.yaml and .env here (asks a few questions on a terminal); existing files are kept."""
    wanted = [path for path in (Path("vigie.yaml"), Path(".env")) if force or not (path.exists() or path.is_symlink())]
    if not wanted:
        raise VigieError("vigie.yaml and .env already exist here", "edit them, or overwrite them with --force")
    asking = _Questions(language or locale_language(), ask=not yes and sys.stdin.isatty(), given=language is not None)
    try:
        texts = asking.texts([str(path) for path in wanted])
    except typer.Abort:
        typer.echo("\n" + asking.words("nothing"), err=True)
        raise typer.Exit(INTERRUPTED) from None
    for path in wanted:
        _write(path, texts[str(path)])
    kept = [str(path) for path in (Path("vigie.yaml"), Path(".env")) if path not in wanted]
    files = asking.words("and").join(str(path) for path in wanted)
    typer.echo(asking.words("kept", files=files, kept=kept[0]) if kept else asking.words("wrote", files=files))
    typer.echo(asking.words("next", first="" if kept == [".env"] else asking.words("fill")))


class _Questions:
    """Asks in the language that the files will be written in."""

    def __init__(self, language: str, *, ask: bool, given: bool) -> None:
        self._language, self._ask, self._given = language, ask, given

    def words(self, name: str, **parts: str) -> str:
        return pick(WORDS[name], self._language).format(**parts)

    def texts(self, wanted: list[str]) -> dict[str, str]:
        """The files' texts, by name; only what they need is asked for."""
        texts = {}
        if "vigie.yaml" in wanted:
            if not self._given:
                self._language = self._answer("language", self._language, self._check_language)
            url = self._answer("url", _usual_url(), _is_url)
            texts["vigie.yaml"] = pick(YAML, self._language).format(language=self._language, url=json.dumps(url).replace("${", "$${"))
        if ".env" in wanted:
            sender = self._answer("sender", "vigie@example.com", _is_mail("sender"))
            receiver = self._answer("receiver", "team@example.com", _is_mail("to"))
            usual = "smtp.gmail.com" if sender.endswith("@gmail.com") else f"smtp.{sender.rpartition('@')[2]}"
            server = self._answer("server", usual, _is_mail("host"))
            port = self._answer("port", "587", self._check_port)
            hint = self.words("app_password" if server == "smtp.gmail.com" else "no_password")
            question = self.words("password", hint=hint)
            password = typer.prompt(question, default="", hide_input=True, show_default=False) if self._ask else ""
            parts = {"sender": sender, "password": _quoted(password), "receiver": receiver, "server": server, "port": port}
            texts[".env"] = pick(ENV, self._language).format(**parts)
        return texts

    def _answer(self, name: str, default: str, check: Callable[[str], None]) -> str:
        """The answer, asked for until it is right; the default where nobody is there to answer."""
        while self._ask:
            answer = str(typer.prompt(self.words(name), default=default)).strip()
            try:
                check(answer)
            except ValueError as error:
                typer.echo(f"  {error}")
            else:
                return answer
        return default

    def _check_language(self, text: str) -> None:
        if text not in ("fr", "en"):
            raise ValueError(self.words("bad_language", text=text))

    def _check_port(self, text: str) -> None:
        if not (re.fullmatch(r"[0-9]{1,5}", text) and 1 <= int(text) <= 65_535):
            raise ValueError(self.words("bad_port", text=text))


def _is_url(text: str) -> None:
    from vigie.config import one_monitor

    try:
        one_monitor({"url": text})
    except ConfigError as error:
        raise ValueError(error.faults[0].message) from error


def _is_mail(key: str) -> Callable[[str], None]:
    """A check of one of the mail channel's own keys, by its own words."""
    good: dict[str, Any] = {"to": "team@example.com", "sender": "vigie@example.com", "host": "smtp.example.com"}

    def check(text: str) -> None:
        from vigie import plugins

        plugins.load("notifiers", "email").Config(**{**good, key: text})

    return check


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
