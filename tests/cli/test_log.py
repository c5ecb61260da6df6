"""The log: formats, rotation, and no secret in it, whatever the secret looks like."""

import errno
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vigie import logs
from vigie.cli.common import log_of, start_log
from vigie.config import load
from vigie.errors import ConfigError
from vigie.net import NO_SECRETS, Secret, Secrets

log = logging.getLogger("vigie.test")


def begin(folder: Path, **changed: Any) -> Path:
    values: dict[str, Any] = {
        "json": False,
        "level": "info",
        "max_bytes": 10_000,
        "keep": 2,
        "secrets": NO_SECRETS,
        "console": False,
    } | changed
    logs.start(file=folder / "sub" / "x.log", **values)
    return folder / "sub" / "x.log"


@pytest.mark.parametrize("kind", ["text", "json"])
@pytest.mark.parametrize("secret", ["hunter22", 'quo"te\\d', "tab\there", "mot de passe é", "a" * 200])
def test_a_secret_is_masked_in_both_formats(secret: str, kind: str, folder: Path) -> None:
    path = begin(folder, json=kind == "json", secrets=Secrets([Secret(secret)]))
    log.error("it was %s, twice %s", secret, secret)
    text = path.read_text()

    assert secret not in text
    assert json.dumps(secret, ensure_ascii=False)[1:-1] not in text
    assert text.count("***") == 2
    assert kind == "text" or json.loads(text)["level"] == "error"


def test_a_traceback_is_masked_too(folder: Path) -> None:
    path = begin(folder, secrets=Secrets([Secret("hunter22")]))
    log.error("it broke", exc_info=ValueError("password hunter22"))

    assert "hunter22" not in path.read_text()


def test_words_too_short_to_hide_anything_stay(folder: Path) -> None:
    path = begin(folder, secrets=Secrets([Secret("a"), Secret("ok")]))
    log.info("all ok")

    assert path.read_text().endswith(" - INFO - all ok\n")


def test_the_file_is_rotated_and_old_ones_go(folder: Path) -> None:
    path = begin(folder, max_bytes=1_000, keep=2)
    for number in range(100):
        log.info("line %d %s", number, "x" * 60)

    assert sorted(one.name for one in path.parent.iterdir()) == ["x.log", "x.log.1", "x.log.2"]
    assert all(one.stat().st_size <= 1_000 for one in path.parent.iterdir())
    assert "line 99 " in path.read_text()


@pytest.mark.parametrize("closed", [True, False])
def test_a_full_disk_breaks_nothing_without_a_console(closed: bool, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(folder)
    (handler,) = logging.getLogger("vigie").handlers
    with (folder / "console").open("w", encoding="utf-8") as console:
        pass
    monkeypatch.setattr("sys.stderr", console if closed else None)
    try:
        raise OSError(errno.ENOSPC, "No space left on device")  # noqa: TRY301 - what is raised is what is handled
    except OSError:
        handler.handleError(logging.makeLogRecord({}))


def test_the_level_is_kept(folder: Path) -> None:
    path = begin(folder, level="warning")
    log.info("quiet")
    log.warning("loud")

    assert "quiet" not in path.read_text()
    assert "loud" in path.read_text()


SECRETS = """\
log: {file: x.log}
llm: {provider: none}
notify:
  mail: {type: email, to: t@site.test, sender: v@site.test, host: h, password: hush-mail}
  chat: {type: slack, url: "https://hooks.test/T0/hush-path"}
  hook: {type: webhook, url: "https://w.test/hush-hook", secret: hush-sign, headers: {Authorization: "Bearer hush-head", Accept: text/plain}}
monitors:
  - {name: A, url: "https://user:hush-url@a.test/", auth: {bearer: hush-bearer}, headers: {X-Api-Key: hush-key}}
  - {name: B, url: "https://b.test/", auth: {basic: {user: me, password: hush-basic}}, proxy: "http://me:hush-proxy@p.test:1"}
"""


def test_every_secret_of_a_configuration_is_known_to_the_log(folder: Path) -> None:
    (folder / "vigie.yaml").write_text(SECRETS)
    found = load(None, {}, folder)
    start_log(found, console=False)
    log.info("%s", SECRETS)

    text = (folder / "x.log").read_text()
    assert "hush" not in text
    assert "text/plain" in text


def test_a_reload_masks_the_new_password(folder: Path) -> None:
    (folder / "vigie.yaml").write_text(SECRETS)
    start_log(load(None, {}, folder), console=False)
    (folder / "vigie.yaml").write_text(SECRETS.replace("hush-mail", "fresh-mail"))

    fresh = load(None, {}, folder)
    with log_of(fresh, console=False):
        log.info("login with hush-mail")  # it may not be applied after all
    with log_of(fresh, console=False) as swap:
        swap()
    log.info("login with fresh-mail")

    assert (folder / "x.log").read_text().count("login with ***") == 2


def test_a_reload_that_is_refused_leaves_the_log_as_it_was(folder: Path, vigie: Callable[..., Any]) -> None:
    (folder / "vigie.yaml").write_text(SECRETS)
    start_log(load(None, {}, folder), console=False)
    (folder / "vigie.yaml").write_text("nonsense: 1\n")

    with pytest.raises(ConfigError):
        load(None, {}, folder)
    log.info("still here")

    assert "still here" in (folder / "x.log").read_text()


def test_a_name_or_an_answer_begins_no_line_of_its_own(folder: Path) -> None:
    path = begin(folder)
    forged = "Shop\n2026-11-29 12:00:00,000 - INFO - Bank: up\u2028x\x1b[2J\u202etxt"
    log.error("%s: down", forged)
    log.error("it broke", exc_info=ValueError(forged))
    lines = path.read_text().splitlines()

    assert len([line for line in lines if line.startswith("20")]) == 2
    assert lines[0].endswith(r" - ERROR - Shop\n2026-11-29 12:00:00,000 - INFO - Bank: up\u2028x\x1b[2J\u202etxt: down")
    assert all(line.startswith("    ") for line in lines[2:])
