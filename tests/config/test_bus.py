"""The key `bus`: read, checked, and never shown with its secrets."""

import json
from pathlib import Path

import pytest

from vigie import plugins
from vigie.config import Desired, load
from vigie.config.shown import shown
from vigie.errors import ConfigError, MissingExtra

MONITORS = "monitors: [https://example.org/]\n"


def loaded(folder: Path, bus: str, **environ: str) -> Desired:
    (folder / "vigie.yaml").write_text(f"bus: {json.dumps(bus)}\n{MONITORS}")
    return load(folder / "vigie.yaml", environ, folder)


def test_without_it_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text(MONITORS)
    assert load(tmp_path / "vigie.yaml", {}, tmp_path).bus is None


def test_its_secrets_are_masked_wherever_they_turn_up(tmp_path: Path) -> None:
    for bus in ("nats://me:${PW}@bus.test", "nats://bus.test?token=${PW}", "nats://${PW}@bus.test", "nats://me:literal-secret@bus.test"):
        found = loaded(tmp_path, bus, PW="secret-of-bus-1")
        assert found.bus is not None
        assert found.bus.kind == "nats"
        assert "bus.test:4222" in str(found.bus)
        for text in (shown(found), repr(found), str(found.bus)):
            assert "secret-of-bus-1" not in text
            assert "literal-secret" not in text
        secret = "literal-secret" if "literal" in bus else "secret-of-bus-1"
        assert found.secrets.mask(f"refused {secret}") == "refused ***"


def test_a_whole_address_from_a_variable_is_read(tmp_path: Path) -> None:
    found = loaded(tmp_path, "${BUS}", BUS="tls://me:secret-of-bus-1@bus.test")
    assert str(found.bus) == "tls://me:***@bus.test:4222"
    assert "secret-of-bus-1" not in shown(found)


@pytest.mark.parametrize(
    ("bus", "why"),
    [
        ("kafka://bus.test", "no bus is called 'kafka'"),
        ("bus.test:4222", "no bus is called"),
        ("local://x", "no bus is called 'local'"),
        ("nats://bus.test?replica=3", "unknown option 'replica'"),
        ("nats://bus.test?replicas=7", "from 1 to 5"),
        ("nats://", "is not a host"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, bus: str, why: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, bus)
    (fault,) = raised.value.faults
    assert (fault.key, fault.line) == ("bus", 1)
    assert why in fault.message


def test_without_its_extra_the_command_that_brings_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_is_there", lambda name: name != "nats")
    with pytest.raises(MissingExtra):
        plugins.load("buses", "nats")
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, "nats://bus.test")
    assert raised.value.faults[0].fix == "pip install 'vigie[nats]'"
