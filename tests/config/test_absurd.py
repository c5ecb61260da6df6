"""Whatever stands at any key of the file or behind any option: an answer with the key and the permitted values, never a crash."""

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vigie import plugins
from vigie.config import load
from vigie.config.model import Common
from vigie.config.shown import schema, shown
from vigie.errors import ConfigError, Fault
from vigie.planning.duration import MAX_DAYS, Duration

NUMBERS = (
    "0", "-1", "1.5", "1e400", "-1e400", ".nan", ".inf", "-.inf", "70000", "10000000000", "18446744073709551616", "9" * 400, "9" * 5_000,
    "'1e400'", "0x7fffffffffffffff", "-0", "1e308",
)  # fmt: skip
TIMES = ("0s", "-5s", "999999999999d", f"{'9' * 400}d", f"{MAX_DAYS}d", "0.0001ms", "5s5", "1e5s", "٣s", "''", "9999-12-31", "99999-01-01")
KINDS = ("null", "true", "''", "[]", "{}", "[1]", "{a: 1}", '"\\0"', "2026-01-01", "!!binary aGk=", "'${NOT_SET:-9e999}'", '"\\ud800"')
HOST = {"host": "a.test"}
BASES: dict[str, dict[str, Any]] = {
    "http": {"url": "https://a.test/"}, "browser": {"url": "https://a.test/"}, "websocket": {"url": "wss://a.test/"},
    "tcp": {**HOST, "port": 5432}, "dns": {"name": "example.com"}, "domain": {"domain": "example.com"}, "exec": {"command": "true"},
    "steps": {"steps": [{"url": "https://a.test/"}]}, "heartbeat": {"token": "12345678-1234-4234-8234-123456789012", "period": "1d"},
    **dict.fromkeys(("grpc", "icmp", "imap", "mqtt", "mysql", "postgres", "redis", "smtp", "ssh", "tls"), HOST),
}  # fmt: skip
SCHEMA = schema()
COMMON = {one.encode_name for one in msgspec.structs.fields(Common)}


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        part = SCHEMA["$defs"][part["$ref"].rpartition("/")[2]]
    return part


def ways(part: dict[str, Any], way: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The way to every key of a part of the schema."""
    for name, inner in resolved(part).get("properties", {}).items():
        yield (*way, name)
        for one in (inner, *inner.get("anyOf", ())):
            if len(way) < 3 and "properties" in resolved(one):
                yield from ways(one, (*way, name))


def written(way: tuple[str, ...], value: str) -> str:
    """The value at a way of keys, as a YAML flow mapping."""
    for key in reversed(way):
        value = f"{{{json.dumps(key)}: {value}}}"
    return value


def merged(base: dict[str, Any], way: tuple[str, ...], value: str) -> str:
    rest = {key: item for key, item in base.items() if key != way[0]}
    return "{" + ", ".join(f"{json.dumps(key)}: {json.dumps(item)}" for key, item in rest.items()) + ", " + written(way, value)[1:]


def loaded(path: Path, text: str) -> list[Fault]:
    """The faults of a file; what is taken is shown and encoded too, as `config show` and the prober's process do."""
    path.write_text(text, encoding="utf-8")
    try:
        found = load(path, {}, path.parent)
    except ConfigError as error:
        return list(error.faults)
    shown(found)
    for one in found.monitors:
        msgspec.json.encode(one.options, enc_hook=str)
    return []


def check_words(faults: list[Fault]) -> None:
    for fault in faults:
        assert 0 < len(fault.message) < 400, fault
        assert "\n" not in str(fault), fault
        assert not re.search(r"Error\b|invalid literal|Exceeds the limit|NoneType|object", fault.message), fault


@pytest.mark.parametrize("kind", plugins.kinds("probes"))
def test_every_key_of_a_monitor_answers(kind: str, tmp_path: Path) -> None:
    one = next(part for part in SCHEMA["properties"]["monitors"]["items"]["anyOf"] if kind_of(part) == kind)
    base = {"type": kind, **BASES[kind]}
    assert loaded(tmp_path / "vigie.yaml", f"monitors: [{json.dumps(base)}]\n") == []
    once = () if kind == "http" else COMMON
    rows = [(way, value) for way, value in product(ways(one), NUMBERS + TIMES + KINDS) if way[0] not in ("type", "id", "name", *once)]
    lines = [
        merged({"name": f"m{number}", **base, "id": f"m{number}", **tokens(kind, number)}, way, value)
        for number, (way, value) in enumerate(rows)
    ]
    faults = loaded(tmp_path / "vigie.yaml", "monitors:\n" + "".join(f"  - {line}\n" for line in lines))

    check_words(faults)
    wrong = {int(match[1]) for fault in faults if (match := re.match(r"monitors\[(\d+)\]", fault.key))}
    assert wrong
    assert all(fault.line for fault in faults)
    left = [line for number, line in enumerate(lines) if number not in wrong]
    assert loaded(tmp_path / "vigie.yaml", "monitors:\n" + "".join(f"  - {line}\n" for line in (json.dumps(base), *left))) == []


def tokens(kind: str, number: int) -> dict[str, str]:
    return {"token": f"12345678-1234-4234-8234-{number:012d}"} if kind == "heartbeat" else {}


def kind_of(part: dict[str, Any]) -> str | None:
    if part.get("type") != "object":
        return None
    return str(part["properties"]["type"].get("const", "http"))


@pytest.mark.parametrize("way", sorted({way for way in ways(SCHEMA) if way[0] not in ("monitors", "notify")}), ids=".".join)
def test_every_key_of_the_file_answers(way: tuple[str, ...], tmp_path: Path) -> None:
    for value in NUMBERS + TIMES + KINDS:
        at = json.dumps(way[0]) + ": " + (written(way[1:], value) if way[1:] else value)
        check_words(loaded(tmp_path / "vigie.yaml", f"monitors: [https://a.test/]\n{at}\n"))


@pytest.mark.parametrize("text", ["30s", f"{MAX_DAYS}d", "1h30m", "0"])
def test_a_duration_within_bounds_is_taken(text: str) -> None:
    assert Duration.parse(text) >= 0


def test_every_number_has_a_permitted_range() -> None:
    """The schema says it too, so that an editor does."""
    parts = [SCHEMA, *SCHEMA["$defs"].values()]
    numbers = {
        f"{part.get('title')}.{name}": one
        for part in parts
        for name, whole in part.get("properties", {}).items()
        for one in (whole, *whole.get("anyOf", ()))
        if one.get("type") == "integer"
        and name not in ("status", "expect")  # statuses have ranges of their own; comparisons take any number
    }

    assert len(numbers) > 15
    assert [name for name, one in numbers.items() if not ({"minimum", "maximum"} <= one.keys())] == []
