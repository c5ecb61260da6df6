"""A model server, a command and a webhook that repeat every secret they get: none of them reaches a terminal, the log or the database."""

import asyncio
import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vigie.testing.servers import serving

from .conftest import Site, on_a_thread

TOKEN, PASSWORD, VARIABLE, HOOK, FIELD, KEY = (
    "mine-token-1",
    "mine-password-2",
    "mine-variable-3",
    "mine-hook-4",
    "mine-field-5",
    "mine-key-6",
)
ALL = (TOKEN, PASSWORD, VARIABLE, HOOK, FIELD, KEY)


async def parrot(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers 500 with the secrets that it was told, whatever the way."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    lines = [line for line in head.splitlines() if line.lower().startswith(("get", "post", "x-key", "authorization"))]
    lines += [base64.b64decode(line.partition("Basic ")[2]).decode() for line in lines if "Basic " in line]
    body = json.dumps({"error": {"message": " ".join(lines)}}).encode()
    writer.write(b"HTTP/1.1 500 Sorry\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()


@pytest.fixture
def telltale(folder: Path) -> Iterator[None]:
    script = folder / "check_thing.py"
    script.write_text(
        "import os, sys\nprint('CRITICAL', os.environ['ANYTHING'], sys.argv[1], '|', os.environ['ANYTHING'] + '=1')\nsys.exit(2)\n"
    )
    (folder / ".env").write_text(f"TOKEN={TOKEN}\nPASSWORD={PASSWORD}\nVARIABLE={VARIABLE}\nHOOK={HOOK}\nFIELD={FIELD}\nKEY={KEY}\n")
    with on_a_thread(lambda: serving(parrot)) as port:
        (folder / "vigie.yaml").write_text(
            f"""
log: {{file: vigie.log}}
alerts: {{default: {{confirm: 1}}}}
llm: {{provider: openai, model: tiny, url: "http://me:${{PASSWORD}}@127.0.0.1:{port}/v1", token: "${{TOKEN}}", deadline: 5s}}
notify: {{hook: {{type: webhook, url: "http://127.0.0.1:{port}/services/${{HOOK}}", headers: {{X-Key: "${{KEY}}"}}}}}}
monitors:
  - {{type: exec, name: Script, command: [{sys.executable}, {script}, "${{FIELD}}"], env: {{ANYTHING: "${{VARIABLE}}"}}}}
  - {{name: Site, url: "http://127.0.0.1:{port}/a?key=${{KEY}}", headers: {{X-Key: "${{KEY}}"}}, expect: {{keyword: "${{FIELD}}"}}}}
"""
        )
        yield


@pytest.mark.parametrize("command", [("doctor",), ("check",), ("check", "--format", "json"), ("check", "--explain"), ("config", "check"), ("config", "show"), ("notify", "test"), ("once",)], ids=" ".join)  # fmt: skip
def test_no_command_shows_a_secret_or_leaves_one_behind(command: tuple[str, ...], telltale: None, vigie: Any, folder: Path) -> None:
    done = vigie(*command)

    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name not in (".env", "check_thing.py"))
    shown = f"{done.out}{done.err}".encode() + kept
    assert done.out or done.err or (folder / "vigie.log").exists()
    assert [one for one in ALL if one.encode() in shown] == []
    if command == ("once",):
        assert b"CRITICAL" in kept, "nothing was checked"
        assert b"HTTP 500" in kept


def test_a_reserved_secret_is_revealed_where_it_belongs(telltale: None, vigie: Any, folder: Path, site: Site, monkeypatch: Any) -> None:
    """What is masked everywhere else still reaches the server."""
    monkeypatch.setenv("PLACE", site.url)
    (folder / "vigie.yaml").write_text('monitors: [{url: "${PLACE}", headers: {X-Key: "${KEY}"}, auth: {bearer: "${TOKEN}"}}]\n')

    assert vigie("check").status == 0
    assert f"X-Key: {KEY}" in site.requests[0]
    assert f"Authorization: Bearer {TOKEN}" in site.requests[0]
