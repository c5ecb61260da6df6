"""Monitors that a page or the API makes live beside those of the file: one model, the same checks, in force at once, kept over a restart."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from vigie.administration import trials
from vigie.cli.common import start_log
from vigie.clock import SystemClock
from vigie.commands.definitions import DefinitionKind, Saved, SaveResult
from vigie.commands.monitors import Tried
from vigie.config import Desired, DesiredMonitor, load
from vigie.config.apart import load_apart
from vigie.defining import Definitions
from vigie.errors import Fault, StoreError, StoreFault
from vigie.ports import Commit, StoredDefinition
from vigie.server import Server

M = DefinitionKind.MONITOR
FILE = """\
log: {file: null}
web: {enabled: false}
llm: {provider: none}
alerts: {quick: {confirm: 1}}
monitors:
  - https://a.test/
  - {url: https://b.test/, name: Shop API, headers: {X-Key: "${KEY}", X-Own: open sesame}, tags: [eu], enabled: false}
"""
ENV = {"KEY": "s3cr3t-of-env"}


@asynccontextmanager
async def running(folder: Path, text: str | None = FILE) -> AsyncIterator[Server]:
    file = folder / "vigie.yaml"
    if text is not None:
        file.write_text(text)
    server = Server(
        load(file, ENV, folder), SystemClock(), lambda: load(file, ENV, folder), edit=lambda stored: load(file, ENV, folder, stored=stored)
    )
    await server.runtime.start()
    try:
        yield server
    finally:
        await server.runtime.close()


def of(server: Server) -> Definitions:
    assert server.reloading.definitions is not None
    return server.reloading.definitions


def watched(server: Server) -> list[str]:
    ids = [one.monitor.id for one in server.settings.monitors]
    assert ids == [one.spec.monitor for one in server.settings.monitors]
    assert {one for one in ids if server.runtime.ingest.monitor(one)} == set(ids)
    return ids


def words(saved: Saved) -> list[str]:
    return [str(one) for one in saved.faults]


async def test_what_is_saved_is_in_force_on_return_and_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        saved = await of(server).save(M, {"url": "https://c.test/", "alert": "quick", "tags": ["eu"]}, "ann")
        assert saved.result is SaveResult.DONE
        assert saved.definition is not None
        one = saved.definition
        assert (one.id, one.name, one.where, one.changed_by, one.enabled) == ("c-test", "c.test", "", "ann", True)
        assert one.body == {"id": "c-test", "url": "https://c.test/", "alert": "quick", "tags": ["eu"]}
        assert watched(server) == ["a-test", "c-test"]
        assert server.settings.monitors[1].monitor.detection.confirm == 1, "the policies of the file are its policies"
    async with running(tmp_path) as server:
        assert watched(server) == ["a-test", "c-test"]
        assert await of(server).definition(M, "c-test") == one
        assert (await of(server).delete(M, "c-test")).result is SaveResult.DONE
        assert watched(server) == ["a-test"]
        assert await of(server).definition(M, "c-test") is None
        assert (await of(server).delete(M, "c-test")).result is SaveResult.UNKNOWN
    assert load_apart(tmp_path / "vigie.yaml", ENV, tmp_path) == load(tmp_path / "vigie.yaml", ENV, tmp_path)


async def test_those_of_the_file_are_listed_with_their_line_and_cannot_be_changed(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        first, second = await of(server).definitions(M)
        assert (first.id, first.body, first.where) == ("a-test", {"url": "https://a.test/"}, f"{tmp_path / 'vigie.yaml'}:6")
        assert (second.id, second.name, second.where, second.enabled) == ("shop-api", "Shop API", f"{tmp_path / 'vigie.yaml'}:7", False)
        assert second.body["headers"] == {"X-Key": "${KEY}", "X-Own": "***"}
        saved = await of(server).save(M, {"url": "https://x.test/"}, "ann", key="a-test")
        assert (saved.result, saved.definition) == (SaveResult.READ_ONLY, first)
        assert (await of(server).delete(M, "a-test")).result is SaveResult.READ_ONLY


@pytest.mark.parametrize(
    ("body", "result", "said"),
    [
        ({"url": "https://a.test/"}, SaveResult.CONFLICT, "two monitors have the id 'a-test' (the other is in line 6)"),
        ({"url": "https://z.test/", "name": "a.test"}, SaveResult.CONFLICT, "(the other is in line 6)"),
        ({"url": "https://z.test/", "evry": "1m"}, SaveResult.INVALID, "evry: unknown key 'evry' (did you mean 'every'?)"),
        ({"url": "https://z.test/", "every": "1ms", "expect": {"status": "9"}}, SaveResult.INVALID, "`every` must be at least 1s"),
        ({"url": "https://z.test/", "alert": "quik"}, SaveResult.INVALID, "did you mean 'quick'?"),
        ({"url": "https://z.test/", "depends_on": ["nobody"]}, SaveResult.INVALID, "there is no monitor 'nobody'"),
        ({"url": "https://z.test/", "headers": {"X": "${KEY}"}}, SaveResult.INVALID, "variables are filled in the file alone"),
        ({"url": "https://z.test/", "headers": {"X": "***"}}, SaveResult.INVALID, "headers.X: a masked value was sent"),
        ({"name": "no address"}, SaveResult.INVALID, "url"),
        ({"url": "https://z.test/", "id": "vigie"}, SaveResult.INVALID, "reserved"),
        ({}, SaveResult.INVALID, "url"),
        ({"url": 5}, SaveResult.INVALID, ""),
        ({"url": "https://z.test/", "name": "x" * 300_000}, SaveResult.INVALID, "too long"),
    ],
)
async def test_every_fault_is_said_and_nothing_is_kept(body: dict[str, Any], result: SaveResult, said: str, tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        before = server.settings
        saved = await of(server).save(M, body, "ann")
        assert (saved.result, saved.definition) == (result, None)
        assert said in " | ".join(words(saved))
        assert all(not one.file for one in saved.faults), "there is no file to look into"
        assert await of(server).validate(M, body) == saved.faults
        assert server.settings is before
        assert await server.runtime.store.catalog.definitions() == []


async def test_a_secret_is_masked_and_a_mask_sent_back_keeps_it(tmp_path: Path) -> None:
    body = {
        "url": "https://user:pa55word@c.test/x?key=q7Zk&b=2", "headers": {"X-Api": "s3cr3t-header $${x"}, "auth": {"bearer": "b34r3r"},
    }  # fmt: skip
    async with running(tmp_path) as server:
        saved = await of(server).save(M, body, "ann", trusted=True)
        assert saved.definition is not None, words(saved)
        shown = dict(saved.definition.body)
        assert shown["url"] == "https://user:***@c.test/x?key=***&b=***"
        assert (shown["headers"], shown["auth"]) == ({"X-Api": "***"}, {"bearer": "***"})
        for secret in ("pa55word", "q7Zk", "s3cr3t-header", "b34r3r"):
            assert secret not in repr((saved, server.settings, await server.runtime.store.catalog.definitions()))
        changed = {**shown, "every": "5m", "url": "https://user:***@c.test/y?b=***&key=***&c=3"}
        saved = await of(server).save(M, changed, "bob", key=shown["id"])
        assert saved.result is SaveResult.DONE, words(saved)
        (kept,) = await server.runtime.store.catalog.definitions()
        assert json.loads(kept.body) == {
            **body, "id": shown["id"], "every": "5m", "url": "https://user:pa55word@c.test/y?b=2&key=q7Zk&c=3",
        }  # fmt: skip
        assert (kept.by, kept.version, kept.trusted) == ("bob", 2, False)
        assert [one.trusted for one in server.settings.monitors] == [True, False]

        stolen = await of(server).save(M, {**shown, "url": "https://evil.test/"}, "bob", key=shown["id"])
        assert stolen.result is SaveResult.INVALID
        assert {one.key for one in stolen.faults} == {"headers.X-Api", "auth.bearer"}
        moved = await of(server).save(M, {**shown, "url": "https://new.test/"}, "ann", key=shown["id"], trusted=True)
        assert moved.result is SaveResult.DONE, "who may see to everything may move it"


async def test_of_two_that_change_one_the_second_is_told(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        first = (await of(server).save(M, {"url": "https://c.test/"}, "ann")).definition
        assert first is not None
        changes = [of(server).save(M, {"url": f"https://c.test/{one}"}, one, key="c-test", version=first.version) for one in ("ann", "bob")]
        done, conflict = await asyncio.gather(*changes)
        assert (done.result, conflict.result) == (SaveResult.DONE, SaveResult.CONFLICT)
        assert conflict.definition == done.definition
        assert (await of(server).delete(M, "c-test", version=first.version)).result is SaveResult.CONFLICT
        again = await of(server).save(M, {"url": "https://c.test/", "id": "other"}, "ann", key="c-test")
        assert (again.result, [one.key for one in again.faults]) == (SaveResult.INVALID, ["id"])


async def test_what_another_one_needs_cannot_be_deleted(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        await of(server).save(M, {"url": "https://c.test/"}, "ann")
        await of(server).save(M, {"url": "https://d.test/", "depends_on": ["c-test"]}, "ann")
        saved = await of(server).delete(M, "c-test")
        assert saved.result is SaveResult.INVALID
        assert words(saved)[0].startswith("monitor 'd-test', made by ann: depends_on[0]: there is no monitor 'c-test'")
        assert watched(server) == ["a-test", "c-test", "d-test"]


async def test_a_store_that_fails_keeps_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path) as server:

        async def full(_: Commit) -> None:
            raise StoreError(StoreFault.FULL, "the disk is full", "make room")

        with monkeypatch.context() as patched:
            patched.setattr(server.reloading._reconciler, "_commit", full)
            with pytest.raises(StoreError):
                await of(server).save(M, {"url": "https://c.test/"}, "ann")
        assert watched(server) == ["a-test"]
        assert (await of(server).save(M, {"url": "https://c.test/"}, "ann")).result is SaveResult.DONE


def stored(folder: Path, *bodies: tuple[str, Any]) -> None:
    """Put into the database what another version may have written."""
    with sqlite3.connect(folder / "vigie.db") as db:
        for name, body in bodies:
            db.execute(
                "INSERT INTO definition (kind, id, version, by, at, trusted, body) VALUES ('monitor', ?, 1, 'ann', 5, 0, ?)",
                (name, body if isinstance(body, str) else json.dumps(body)),
            )
        db.execute("INSERT INTO definition (kind, id, version, by, at, trusted, body) VALUES ('dance', 'x', 1, 'ann', 5, 0, '{}')")
    db.close()


async def test_one_that_is_broken_is_left_out_and_said_and_shown_and_everything_else_runs(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with running(tmp_path):
        pass
    stored(
        tmp_path,
        ("old", {"url": "https://old.test/", "gone_key": 1, "tags": ["legacy"]}),
        ("not-json", "{"),
        ("a-list", [1]),
        ("a-test", {"url": "https://a.test/", "id": "a-test"}),
        ("on-old", {"url": "https://on.test/", "id": "on-old", "depends_on": ["old"]}),
        ("well", {"url": "https://well.test/", "id": "well"}),
    )
    text = FILE.replace("  - https://a.test/\n", "  - {url: https://a.test/, depends_on: [old]}\n") + "maintenance:\n"
    text += "  - {tags: [legacy], every: day 02:00, for: 1h}\n"
    async with running(tmp_path, text) as server:
        assert watched(server) == ["a-test", "on-old", "well"]
        found = {one.id: one for one in await of(server).definitions(M)}
        assert [one.id for one in await of(server).definitions(M)] == [
            "a-test", "shop-api", "old", "not-json", "a-list", "a-test", "on-old", "well",
        ]  # fmt: skip
        assert [str(one) for one in found["old"].faults] == [
            "monitor 'old', made by ann: gone_key: unknown key 'gone_key' for https://old.test/, a monitor of type http (valid keys: "
            + str(found["old"].faults[0].fix).removeprefix("valid keys: ") + ")"
        ]  # fmt: skip
        assert [bool(found[one].faults) for one in ("not-json", "a-list", "on-old", "well")] == [True, True, False, False]
        capfd.readouterr()
        start_log(server.settings)
        await server.reloading.reload()
        said = [one.partition("ERROR")[2] for one in capfd.readouterr().err.splitlines() if "left out" in one]
        assert [said.count(one) for one in dict.fromkeys(said)] == [2] * 5, "at the start and at every reload"
        assert any("monitor 'a-test', made by ann: left out: two monitors have the id" in one for one in said)

        assert (await of(server).save(M, {"url": "https://new.test/"}, "bob")).result is SaveResult.DONE, "others may still be changed"
        mended = await of(server).save(M, {"url": "https://old.test/", "tags": ["legacy"]}, "bob", key="old")
        assert mended.result is SaveResult.DONE, words(mended)
        assert (await of(server).delete(M, "a-test")).result is SaveResult.DONE, "the one that is made, not that of the file"
        assert watched(server) == ["a-test", "old", "on-old", "well", "new-test"]


async def test_an_older_database_and_one_that_cannot_be_read_cost_nothing(tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text(FILE)
    assert [one.monitor.id for one in load(None, ENV, tmp_path).monitors] == ["a-test"]
    assert not (tmp_path / "vigie.db").exists()
    with sqlite3.connect(tmp_path / "vigie.db") as db:
        db.execute("PRAGMA user_version = 19")
    db.close()
    assert load(None, ENV, tmp_path).warnings == ()
    (tmp_path / "vigie.db").write_bytes(b"not a database" * 100)
    (warning,) = load(None, ENV, tmp_path).warnings
    assert "what was made by page or API cannot be read" in str(warning)


def test_a_file_without_monitors_is_one_when_a_page_made_some(tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text("llm: {provider: none}\n")
    one = StoredDefinition("monitor", "c", '{"url": "https://c.test/", "id": "c"}', 1, "ann", 5)
    assert [each.monitor.id for each in load(None, {}, tmp_path, stored=[one]).monitors] == ["c"]
    assert Fault("x", file="f") != Fault("x")


async def test_status_pages_are_made_in_the_same_way(tmp_path: Path) -> None:
    page = DefinitionKind.STATUS_PAGE
    async with running(tmp_path) as server:
        assert (await of(server).save(M, {"url": "https://made.test/", "name": "Made", "tags": ["eu"]}, "ann")).result is SaveResult.DONE
        saved = await of(server).save(page, {"title": "Our services", "tags": ["eu"]}, "ann")
        assert saved.result is SaveResult.DONE, words(saved)
        assert saved.definition is not None
        assert (saved.definition.id, saved.definition.name) == ("our-services", "Our services")
        assert [one.title for one in server.settings.status_pages] == ["Our services"]
        again = await of(server).save(page, {"title": "Our services", "tags": ["eu"]}, "ann")
        assert again.result is SaveResult.CONFLICT, words(again)
        wrong = await of(server).save(page, {"title": "Others", "tags": ["us"]}, "ann")
        assert [one.key for one in wrong.faults] == ["tags"]
        assert (await of(server).delete(M, "made")).result is SaveResult.INVALID, "the page needs it"
        assert (await of(server).delete(page, "our-services")).result is SaveResult.DONE
        assert server.settings.status_pages == ()
        assert (await of(server).delete(M, "made")).result is SaveResult.DONE


async def test_a_trial_neither_runs_programs_nor_takes_secrets_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an editor tries before it is saved is held to the same rules as what is saved."""
    tried: list[DesiredMonitor] = []

    async def checked(one: DesiredMonitor, _: Desired) -> Tried:
        tried.append(one)
        return Tried()

    monkeypatch.setattr(trials, "_checked", checked)
    async with running(tmp_path) as server:
        saved = await of(server).save(M, {"url": "https://c.test/", "headers": {"X-Key": "s3cr3t-header"}}, "ann", trusted=True)
        assert saved.definition is not None
        desk = trials.Trials(lambda: server.settings)
        (fault,) = (await desk.try_out({"type": "exec", "command": ["id"]}, trusted=True)).faults
        assert "file alone" in fault.message
        for url, trusted in (("https://c.test/", False), ("https://evil.test/", False), ("https://new.test/", True)):
            assert (await desk.try_out({**saved.definition.body, "url": url}, key="c-test", trusted=trusted)).faults == ()
        sent = [dict(one.config.reveal().headers)["X-Key"].reveal() for one in tried]
        assert sent == ["s3cr3t-header", "***", "s3cr3t-header"]


@pytest.mark.parametrize("url", ["https://c.test:8443/", "http://c.test/", "wss://c.test/", "http://c.test:443/", "https://c.test:0443/"])
async def test_an_editor_has_no_secret_sent_to_another_port_or_in_clear(tmp_path: Path, url: str) -> None:
    async with running(tmp_path) as server:
        body = {"url": "https://c.test:443/", "type": "http", "headers": {"X-Key": "s3cr3t-header"}}
        saved = await of(server).save(M, body, "ann", trusted=True)
        assert saved.definition is not None, words(saved)
        changed = {**saved.definition.body, "url": url}
        outcome = await of(server).save(M, changed, "bob", key="c-test")
        (kept,) = await server.runtime.store.catalog.definitions()
        same = url == "https://c.test:0443/"
        assert (outcome.result is SaveResult.DONE, kept.by) == ((True, "bob") if same else (False, "ann")), words(outcome)
