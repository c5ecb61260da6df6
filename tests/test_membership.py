"""What a server is called, and whether two have the same configuration."""

import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vigie.config import Desired, load
from vigie.config.desired import Entry
from vigie.config.fleet import FleetKeys
from vigie.membership import digest_of, name_of, url_of
from vigie.ports import StoredDefinition


@pytest.fixture
def settings(tmp_path: Path) -> Desired:
    file = tmp_path / "vigie.yaml"
    file.write_text("store: postgresql://vigie@db.test/vigie\nmonitors: [https://shop.test]\n")
    return load(file, {}, tmp_path)


def _shown(settings: Desired, **other: Any) -> Desired:
    whole = {"state": "/a", "location": "local", "web": {"listen": "127.0.0.1:1", "public_url": None}, "language": "en", **other}
    return replace(settings, summary=zlib.compress(json.dumps(whole).encode()))


def test_a_server_is_called_as_it_is_configured_or_by_its_host_and_state(settings: Desired) -> None:
    assert settings.shared
    assert name_of(replace(settings, fleet=FleetKeys(name="vigie-1"))) == "vigie-1"
    other = replace(settings, state=settings.state / "other")
    assert name_of(settings) == name_of(settings) != name_of(other)  # two on one machine


def test_where_a_server_is_reached(settings: Desired) -> None:
    assert url_of(settings) == "http://127.0.0.1:8080"
    assert url_of(replace(settings, fleet=FleetKeys(url="http://10.0.0.5:8080/"))) == "http://10.0.0.5:8080"


def test_what_is_each_ones_own_may_differ(settings: Desired) -> None:
    ours = digest_of(_shown(settings))
    assert ours == digest_of(
        _shown(settings, state="/b", location="paris", fleet={"name": "b"}, web={"listen": "::1:2", "public_url": None})
    )
    assert ours != digest_of(_shown(settings, language="fr"))
    assert ours != digest_of(_shown(settings, web={"listen": "127.0.0.1:1", "public_url": "https://v.test"}))
    assert digest_of(settings) == ""  # nobody can tell


def test_what_pages_define_is_no_difference(settings: Desired) -> None:
    """One server has it in force seconds after the other; what the file says counts."""
    stored = StoredDefinition("monitor", "made", "{}", 1, "ann", 0)
    entries = (Entry("monitor", "made", "Made", b"{}", stored=stored), Entry("status_page", "ours", "Ours", b"{}", stored=stored))
    both = _shown(settings, monitors=[{"id": "shop"}, {"id": "made"}], status_pages={"ours": {"title": "Ours"}})
    assert digest_of(replace(both, entries=entries)) == digest_of(_shown(settings, monitors=[{"id": "shop"}]))
    assert digest_of(both) != digest_of(replace(both, entries=entries))


@pytest.mark.parametrize("url", ["10.0.0.5:8080", "http://user@host", "http://host/path?x=1", "ftp://host"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be an http"):
        FleetKeys(url=url)
