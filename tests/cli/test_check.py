"""`vigie check` in this process: formats, exit statuses, and every option as far as its fault is concerned."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vigie.cli import check as module
from vigie.cli.common import coloured

Run = Callable[..., Any]


def test_a_good_answer_is_up_and_nothing_is_written(vigie: Run, site: Any, folder: Path) -> None:
    done = vigie("check", site.url)

    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"● UP  {site.url}\n  HTTP 200\n  HTTP/1.1, 2 bytes, text/html, from 127.0.0.1\n")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("status", "arguments", "code"), [(200, [], 0), (500, [], 2), (500, ["--expect-status", "500"], 0)])
def test_the_exit_status_tells_the_verdict(status: int, arguments: list[str], code: int, vigie: Run, site: Any) -> None:
    site.status = status

    assert vigie("check", *arguments, site.url).status == code


def test_slow_is_degraded(vigie: Run, site: Any) -> None:
    done = vigie("check", "--max-latency", "0", site.url)

    assert done.status == 1
    assert "latency.threshold" in done.out


def test_every_option_reaches_the_request(vigie: Run, site: Any) -> None:
    site.body, site.kind = '{"db": "up", "queue": 3}', "application/json"
    done = vigie(
        "check",
        *("--timeout", "3s", "--method", "post", "--header", "X-Trace: 7", "--header", "Accept: text/plain"),
        *("--expect-status", "200-204", "--expect-keyword", "db", "--reject-keyword", "fatal"),
        *("--expect-json", "$.db==up", "--expect-json", "$.queue<9", "--expect-type", "application/json"),
        *("--max-latency", "2s", "--max-redirects", "0", "--min-tls-days", "1", "--resolver", "127.0.0.1:5353"),
        *("--ip", "4", "--http", "1.1", "--insecure", "--format", "json", site.url),
    )

    assert done.status == 0, done.out
    assert json.loads(done.out)["status"] == "up"
    (request,) = site.requests
    assert request.startswith("POST / HTTP/1.1")
    assert "X-Trace: 7" in request
    assert "Accept: text/plain" in request


def test_each_url_is_a_line_of_json(vigie: Run, site: Any) -> None:
    done = vigie("check", "--format", "json", site.url, f"{site.url}two")

    assert [json.loads(line)["url"] for line in done.out.splitlines()] == [site.url, f"{site.url}two"]


def test_maintenance_of_the_file_and_of_the_command_line_is_shown(vigie: Run, site: Any, folder: Path) -> None:
    day = "from: 2020-01-01, until: 2099-01-01 00:00, timezone: UTC"
    (folder / "vigie.yaml").write_text(
        "timezone: UTC\nllm: {provider: none}\nlog: {file: null}\nnotify: {chat: {type: webhook, url: 'https://h.test/'}}\n"
        f"maintenance: [{{{day}, monitors: [Shop], why: new disk}}]\n"
        f"monitors: [{{name: Shop, url: '{site.url}'}}, {{name: Base, url: '{site.url}two', tags: [db]}}]\n"
    )
    assert "in maintenance until 2099-01-01 00:00:00 UTC: new disk\n" in vigie("check", "Shop").out
    assert "in maintenance" not in vigie("check", "Base").out
    assert "in maintenance" not in vigie("check", site.url).out, "a URL by itself is no configured monitor"
    assert not (folder / "vigie.db").exists()

    assert vigie("maintenance", "start", "1h", "--tag", "db", "--why", "backup").status == 0
    done = vigie("check", "--format", "json")
    found = {line["monitor"]: line["maintenance"] for line in map(json.loads, done.out.splitlines())}
    assert found["Shop"] == {"until": "2099-01-01T00:00:00.000Z", "why": "new disk"}
    assert found["Base"]["why"] == "backup"

    (folder / "vigie.db").write_bytes(b"nothing of the kind" * 99)
    done = vigie("check", "Base")
    assert done.status == 0
    assert "maintenance of the command line is not known" in done.err


def test_labels_of_performance_data_are_never_shared(vigie: Run, site: Any) -> None:
    done = vigie("check", "--format", "nagios", site.url, f"{site.url}two", site.url)
    labels = [part.partition("=")[0] for part in done.out.partition(" | ")[2].split("' '")]

    assert done.out.count("\n") == 1
    assert f"'{site.url}two time'=" in done.out
    assert len(labels) == len(set(labels))


def test_without_a_url_every_configured_monitor_is_looked_at(vigie: Run, site: Any, folder: Path) -> None:
    (folder / "vigie.yaml").write_text(
        f"monitors: [{{name: One, url: '{site.url}'}}, {{name: Two, url: '{site.url}', expect: {{status: 404}}}}]\n"
    )
    done = vigie("check", "--format", "json")

    assert done.status == 2
    assert [json.loads(line)["monitor"] for line in done.out.splitlines()] == ["One", "Two"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["nonsense"],
            "'nonsense' is neither a URL nor the name or ID of a configured monitor\nFix: for a web page write https://nonsense",
        ),
        ([""], "'' is neither a URL nor the name or ID of a configured monitor\nFix: for a web page write https://example.com/"),
        (["http://"], "URL: 'http://' names no host; write https://example.com/"),
        (["--expect-json", "foo", "http://h.test/"], "--expect-json: 'foo' is not a comparison"),
        (["--expect-status", "abc", "http://h.test/"], "--expect-status: 'abc' is not a list of statuses; write 200-299,304"),
        (["--timeout", "0", "http://h.test/"], "--timeout: `timeout` must be above 0 and at most 5m"),
        (["--timeout", "banana", "http://h.test/"], "--timeout: 'banana' is not a duration; write 500ms, 30s"),
        (["--max-latency", "fast", "http://h.test/"], "--max-latency: 'fast' is not a duration"),
        (["--max-redirects", "-1", "http://h.test/"], "--max-redirects: a whole number from 0 to 50 is expected, not -1"),
        (["--min-tls-days", "-1", "http://h.test/"], "--min-tls-days: a whole number from 0 to 3650 is expected, not -1"),
        (["--resolver", "1.2.3", "http://h.test/"], "--resolver: '1.2.3' is not a resolver address; write 9.9.9.9"),
        (["--method", "G ET", "http://h.test/"], "--method: 'G ET' is not a request method; write GET"),
        (["--header", "bad", "http://h.test/"], "'bad' is not a header\nFix: write --header 'Name: value'"),
        (["--ca-file", "absent.pem", "https://h.test/"], "--ca-file: absent.pem cannot be read\nFix: name a PEM file"),
        (["--http", "3", "http://h.test/"], "HTTP/3 is always encrypted; write https://"),
        (["--timeout", "5s"], "request options need a URL\nFix: give one"),
        (["--config", "absent.yaml"], "absent.yaml: cannot be read: No such file or directory (`vigie init` writes one)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_value_names_its_option_and_the_fix(arguments: list[str], words: str, vigie: Run) -> None:
    done = vigie("check", *arguments)

    assert done.status == 3
    assert words in done.err
    assert done.out == ""


def test_every_option_of_a_key_is_known_by_that_name(vigie: Run) -> None:
    text = vigie("check", "--help").out

    assert all(option in text for option in module._OPTIONS.values())


@pytest.mark.parametrize(
    ("terminal", "environment", "wanted"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    terminal: bool, environment: dict[str, str], wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stream:
        def isatty(self) -> bool:
            return terminal

    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert coloured(Stream()) is wanted  # type: ignore[arg-type]


NAMED = """log: {file: null}
monitors:
  - {name: Shop API, url: "http://127.0.0.1:1/"}
  - {name: Mail, id: post, url: "tcp://127.0.0.1:1"}
"""


def test_configured_monitors_are_checked_by_name_or_id_beside_urls(vigie: Run, folder: Path) -> None:
    (folder / "vigie.yaml").write_text(NAMED)
    done = vigie("check", "Shop API", "post", "http://127.0.0.1:2/", "Mail")

    heads = [line for line in done.out.splitlines() if line.startswith("✖")]
    assert done.status == 2
    assert [head.split("  ")[1:3] for head in heads] == [
        ["Shop API", "http://127.0.0.1:1/"],
        ["Mail", "tcp://127.0.0.1:1"],
        ["http://127.0.0.1:2/", "tcp.refused"],
    ]
    assert "Failed to connect" not in done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Shop AP"], "'Shop AP' is neither a URL nor the name or ID of a configured monitor\nFix: did you mean 'Shop API'?"),
        (["Bank"], "Fix: names and IDs: Shop API, shop-api, Mail, post; for a web page write https://Bank"),
        (["shop.test/health"], "for a web page write https://shop.test/health"),
        (["--timeout", "5s", "Mail"], "request options need a URL\nFix: leave them out, or set them in vigie.yaml for 'Mail'"),
        (["--expect-keyword", "x", "tcp://a.test:1"], "--expect-keyword: unknown key 'keyword' for tcp://a.test:1, a monitor of type tcp"),
        (["--expect-type", "text/html", "tcp://a.test:1"], "--expect-type: tcp:// has no content type"),
        (["--expect-json", "$.a<=x", "https://a.test/"], "--expect-json: <= needs a number"),
    ],
    ids=str,
)
def test_what_cannot_be_checked_by_name_is_said(arguments: list[str], words: str, vigie: Run, folder: Path) -> None:
    (folder / "vigie.yaml").write_text(NAMED)
    done = vigie("check", *arguments)

    assert done.status == 3
    assert words in done.err
