"""What documents show is what the program says, and the checker of links finds what it is for."""

import importlib.util
import re
import subprocess
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from vigie.cli import results
from vigie.config import load
from vigie.core.model import Cause, CheckResult, HttpFacts, Monitor, Status, Timings, TlsFacts
from vigie.core.notification import Notice, NoticeReason
from vigie.errors import ConfigError
from vigie.net import Secret
from vigie.report import measured, render
from vigie.report.facts import Analysis, Notified
from vigie.testing.messages import subject

ROOT = Path(__file__).parent.parent
README, LISEZ = (ROOT / "README.md").read_text(encoding="utf-8"), (ROOT / "README.fr.md").read_text(encoding="utf-8")
GUIDES = {name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("getting-started.md", "fr/demarrage.md")}
each_guide = pytest.mark.parametrize("guide", GUIDES.values(), ids=GUIDES)
FOUR_PAST_TWO = 1_767_272_525_000  # 2026-01-01 14:02:05 UTC+1


@pytest.fixture(scope="module")
def links() -> Any:
    """tools/links.py."""
    spec = importlib.util.spec_from_file_location("links", ROOT / "tools" / "links.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_link_leads_somewhere_and_the_readmes_agree(links: Any) -> None:
    assert links.faults(ROOT) == []


def test_the_checker_finds_dead_links_and_readmes_that_part(links: Any, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# A\n[x](gone.md) [y](README.fr.md#b) [z](#nothing) [w](https://a.test/)\n```sh\nls  # all\n```\n")
    (tmp_path / "README.fr.md").write_text("# B\n## C\n```sh\nls -l  # tout\n```\n")

    assert links.faults(tmp_path) == [
        "README.md: gone.md leads nowhere",
        "README.md: #nothing names no heading",
        "README.md and README.fr.md differ in their levels of headings: 1 against 2",
        "README.md and README.fr.md differ in their blocks of code: ('sh', 'ls\\n') against ('sh', 'ls -l\\n')",
        "README.md and README.fr.md differ in their links: 4 against 0",
    ]


def test_the_sample_of_a_check_is_what_the_program_prints() -> None:
    monitor = Monitor("shop", "shop.example", "http", "https://shop.example/health", "shop.example", 60_000, 10_000)
    result = CheckResult(
        "shop",
        0,
        Status.DOWN,
        Cause.HTTP_STATUS,
        "HTTP 502, expected 200-299",
        Timings(3.1, 11.8, 24.0, 210.4, 0.2, 249.7),
        address="203.0.113.7",
        http=HttpFacts(502, "1.1", 0, 157, "text/html"),
        tls=TlsFacts("TLSv1.3", "Example CA", "shop.example", 0, 61),
    )
    said = f"$ vigie check https://shop.example/health\n{results.text(monitor, result, colour=False)}\n"

    assert f"```\n{said}```" in README
    assert f"```\n{said}```" in LISEZ


@pytest.mark.parametrize(
    ("text", "language", "sentences"),
    [
        (README, "en", ("The nginx server returns HTTP 502.", "The response arrived after 180 ms.")),
        (LISEZ, "fr", ("Le serveur nginx renvoie HTTP 502.", "La réponse est arrivée après 180 ms.")),
    ],
)
def test_the_sample_of_a_mail_is_what_the_program_writes(text: str, language: str, sentences: tuple[str, ...]) -> None:
    about = subject()
    about = replace(
        about,
        monitor=replace(about.monitor, name="Shop API", target="https://shop.example/health"),
        incident=replace(about.incident, started_at=FOUR_PAST_TWO, closed_at=None),
    )
    notice = Notice("shop-api-7", "shop-api", "mail", NoticeReason.OPENED, FOUR_PAST_TWO + 10_000)
    zone = timezone(timedelta(hours=1))
    bundle = measured.bundle(about, (), notice.at, zone)
    analysis, notified = Analysis("llama3", language, sentences), Notified(also=("slack",))
    message = render.compose(about, notice, bundle, analysis, render.RenderContext(language, zone), notified)
    shown = text.split("```text\n")[1].split("```", maxsplit=1)[0].splitlines()

    assert shown[0].endswith(f": {message.subject}")
    assert shown[2:7] == list(message.lines)
    assert shown[8].rstrip(" :") == message.analysis_label
    assert shown[9:] == [f"  {sentence}" for sentence in sentences]


def test_the_sample_of_faults_is_what_the_program_says(tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text("langage: fr\nmonitors:\n  - url: https://a.test/\n    every: 30\nnotify: {mail: {type: email}}\n")
    (tmp_path / ".env").write_text(
        "EMAIL_SENDER=v@site.test\nEMAIL_PASSWORD=x\nEMAIL_RECEIVER=t@site.test\nSMTP_SERVER=smtp.site.test\nSMTP_PORT='587 '\n"
    )
    with pytest.raises(ConfigError) as raised:
        load(None, {}, tmp_path)

    said = str(raised.value).replace(str(tmp_path), "/srv/vigie")
    assert sorted(said.splitlines()) == sorted(README.split("(3 errors):\n")[1].split("```")[0].splitlines())


def test_the_configurations_shown_are_usable(tmp_path: Path) -> None:
    known = {"EMAIL_RECEIVER": "t@site.test", "EMAIL_SENDER": "v@site.test", "EMAIL_PASSWORD": "x", "SMTP_SERVER": "smtp.site.test"}
    for number, text in enumerate((README, LISEZ)):
        path = tmp_path / f"{number}.yaml"
        path.write_text(text.split("```yaml\n")[1].split("```")[0])
        assert {"ollama.com", "Shop API"} <= {one.monitor.name for one in load(path, known, tmp_path).monitors}


@each_guide
def test_the_env_file_of_the_guide_is_a_whole_configuration(guide: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(guide.split("```ini\n")[1].split("```", maxsplit=1)[0])
    found = load(None, {}, tmp_path)

    assert found.missing == ()
    assert found.channels["mail"].config.reveal().password == Secret("abcd efgh ijkl mnop")
    assert found.llm.config is not None
    assert found.llm.config.reveal().model == "llama3"


@each_guide
@pytest.mark.needs("systemd")
def test_the_units_of_the_guide_are_accepted_by_systemd(guide: str, tmp_path: Path) -> None:
    service, timer = guide.split("```ini\n[Unit]\n")[1:]
    (tmp_path / "vigie.service").write_text("[Unit]\n" + service.split("```")[0].replace("/srv/vigie/.venv/bin/vigie once", "/bin/true"))
    (tmp_path / "vigie.timer").write_text("[Unit]\n" + timer.split("```")[0])
    units = [str(tmp_path / "vigie.service"), str(tmp_path / "vigie.timer")]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)

    assert (done.returncode, [line for line in done.stderr.splitlines() if "vigie" in line]) == (0, [])


@each_guide
def test_the_guide_quotes_errors_as_the_program_words_them(guide: str) -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    quoted = [words for row in re.findall(r"^\| (`.+?`) \|", guide, re.MULTILINE) for words in re.findall(r"`([^`]+)`", row)]

    assert len(quoted) >= 4
    for words in quoted:
        for part in words.split(" … "):
            assert part in source, part


def test_every_word_of_the_model_stands_in_the_glossary() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").lower()
    for word in [
        *Status,
        *NoticeReason,
        "incident",
        "notice",
        "outbox",
        "seed",
        "acknowledge",
        "diagnostics",
        "control target",
        "quick pace",
    ]:
        assert word.lower() in glossary, word
