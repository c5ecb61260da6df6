"""What `vigie check` draws: bars that add up, and a diagnosis with its facts."""

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vigie.cli import _drawn as drawn
from vigie.cli import results
from vigie.cli.check import app
from vigie.core.model import Certificate, CheckResult, HttpFacts, Monitor, Status, Timings, TlsFacts

MONITOR = Monitor("shop", "Shop", "http", "https://shop.example/", "shop.example", 30_000, 5_000)


def test_each_bar_begins_where_the_one_before_ended() -> None:
    lines = drawn.bars(Timings(dns=10, connect=20, tls=30, first_byte=40, transfer=0.1, total=100.1))

    assert [line.split()[0] for line in lines] == ["dns", "connect", "tls", "first", "transfer", "total"]
    starts = [line[11:51].find("█") for line in lines[:4]]
    assert starts == [0, 3, 11, 23]
    assert [line[11:51].count("█") for line in lines[:4]] == [4, 8, 12, 16]
    assert lines[4][11:51].strip(), "the shortest phase is seen too"
    assert all(len(line) == len(lines[0]) for line in lines)


@pytest.mark.parametrize("timings", [Timings(), Timings(total=3.0), Timings(dns=0.0, total=0.0)])
def test_nothing_is_drawn_where_nothing_was_measured(timings: Timings) -> None:
    assert drawn.bars(timings) == []


def test_a_terminal_shows_redirects_and_the_chain() -> None:
    leaf = Certificate("shop.example", "Example CA", 0, 90 * 86_400_000, "EC 256", "ecdsa-with-SHA256")
    root = Certificate("Example CA", "Example CA", 0, 900 * 86_400_000, "RSA 4096", "sha256WithRSAEncryption")
    result = CheckResult(
        "shop", 0, Status.UP, message="HTTP 200",
        http=HttpFacts(200, "2", 1, 10, "text/html", hops=("https://shop.example/home",)), tls=TlsFacts("TLSv1.3", chain=(leaf, root)),
    )  # fmt: skip

    shown = results.text(MONITOR, result, colour=True)

    assert "↳ https://shop.example/home" in shown
    assert "shop.example by Example CA, EC 256, ecdsa-with-SHA256, for 90 days" in shown
    assert "  └ Example CA by Example CA" in shown
    assert "└" not in results.text(MONITOR, result, colour=False)
    line = json.loads(results.json_line(MONITOR, result, results.explained(result, None)))
    assert (line["chain"][1]["key"], line["hops"], line["diagnosis"]) == ("RSA 4096", ["https://shop.example/home"], None)


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


@pytest.mark.parametrize(("language", "words"), [("fr", "Cause supposée (confiance élevée)"), ("en", "Suspected cause (high confidence)")])
def test_explain_looks_a_second_time_and_says_what_is_supposed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vigie.yaml").write_text(f"language: {language}\ncontrol: []\nmonitors: ['http://127.0.0.1:{closed_port()}/']\n")

    text = CliRunner().invoke(app, ["--explain"])
    lines = CliRunner().invoke(app, ["--explain", "--format", "json"])

    assert text.exit_code == lines.exit_code == 2
    assert words in text.output
    assert "refuse" in text.output.split("F3", 1)[1]
    found = json.loads(lines.output)["diagnosis"]
    assert found["hypotheses"][0]["id"] == "not_listening"
    assert {fact["id"] for fact in found["facts"]} >= set(found["hypotheses"][0]["facts"])
