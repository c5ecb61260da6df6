"""Every regular expression of the program takes linear time on what is made to be hard for it, or runs with a time-out.

The patterns are found, not listed: the constants of every module, what stands at a call, and the tables of pages. `VIGIE_FUZZ=1` tries
every attack on every pattern instead of a sample.
"""

import contextlib
import importlib
import os
import pkgutil
import random
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests._adversary import attacks, cost, made
from tools import patterns as tool

import vigie
from vigie.probes.kit.http.page import messages
from vigie.probes.kit.http.page.phrases import Phrases
from vigie.probes.kit.http.page.signs import Sign
from vigie.probes.kit.pattern import Pattern, Searches
from vigie.probes.kit.verdict import CheckFailed
from vigie.probes.kit.workers import Workers
from vigie.testing.starvation import measured

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a search cannot be interrupted there")

PARTS, SAMPLE = 8, 40
LIMIT = 0.4
# What meets nothing foreign (the configuration is the user's own, and an address of a store too), or nothing long.
OURS = {
    "config.environment:_POSIX_ZONE",
    "config.yaml:VARIABLE",
    "planning.duration:_PART",
    "probes.kit.http.config:_ASSERTION",
    "stores:_URL",
    "probes.kit.http.page.messages:_PHP",  # quadratic up to 4,000 bytes, and given 6,000 at most
}


@dataclass(frozen=True)
class Use:
    name: str
    pattern: "re.Pattern[Any]"
    how: str


def modules() -> Iterator[tuple[str, Any]]:
    for one in pkgutil.walk_packages(vigie.__path__, "vigie."):
        if ".testing" not in one.name and not one.name.endswith("__main__") and ".migrations." not in one.name:
            yield one.name.removeprefix("vigie."), importlib.import_module(one.name)


def inside(value: Any, depth: int = 0) -> Iterator[Any]:
    """Patterns, signs and phrases in a constant."""
    if isinstance(value, re.Pattern | Sign | Phrases):
        yield value
    elif depth < 5 and isinstance(value, tuple | list | frozenset | set | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from inside(one, depth + 1)


@cache
def everything() -> list[Use]:
    used, found = tool.uses(), []
    for module, loaded in modules():
        for name, value in vars(loaded).items():
            for number, one in enumerate(inside(value)):
                label = f"{module}:{name}" + (f"[{number}]" if one is not value else "")
                if isinstance(one, re.Pattern):
                    begins = name == "_TRACES" and number % 2 == 0  # of a trace's two, the one that its text must begin with
                    found.append(Use(label, one, "match" if begins else tool.anchored(used.get(f"{module}:{name}", set()))))
                elif isinstance(one, Sign):
                    found += [Use(f"{label}.{field}", re.compile(text), how) for field, text, how in parts_of(one) if text]
                else:
                    for language, wording in one.wordings.items():
                        found += [Use(f"{label}.{language}.body", re.compile(wording.body), "search")]
                        found += [Use(f"{label}.{language}.head", head_of(wording.head), "search")]
    found += [Use(f"messages:{name}", re.compile(text), "search") for name, _, text in messages._DRIVERS]
    found += [Use(f"{one.path}:{one.line}", re.compile(one.text), tool.anchored({one.how})) for one in tool.literals()]
    return list({(use.pattern.pattern, use.pattern.flags, use.how): use for use in found}.values())


def parts_of(sign: Sign) -> tuple[tuple[str, str, str], ...]:
    return ("title", sign.title, "match"), ("heading", sign.heading, "match"), ("start", sign.start, "match"), ("text", sign.text, "search")


def head_of(text: str) -> "re.Pattern[str]":
    """As `Phrases.head` compiles it."""
    return re.compile(f"(?<![a-zà-ÿа-я])(?:{text})(?![a-zà-ÿа-я])")


def slow(use: Use, chance: random.Random) -> str | None:
    """What the pattern takes more than linear time on, in words."""
    tried = list(attacks(use.pattern))
    if not os.environ.get("VIGIE_FUZZ") and len(tried) > SAMPLE:
        tried = chance.sample(tried, SAMPLE)
    for attack in tried:
        if cost(use.pattern, made(use.pattern, *attack, 1_500), LIMIT, use.how) < 0.0015:
            continue
        large = min(cost(use.pattern, made(use.pattern, *attack, 8_000), LIMIT, use.how) for _ in range(2))
        small = max(min(cost(use.pattern, made(use.pattern, *attack, 2_000), LIMIT, use.how) for _ in range(2)), 0.0005)
        if large >= LIMIT or large > 9 * small:
            return f"{use.name} ({use.how}) {use.pattern.pattern[:120]!r}: {small * 1e3:.1f} ms → {large * 1e3:.1f} ms on {attack!r}"
    return None


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_pattern_takes_linear_time_on_what_is_hard_for_it(part: int) -> None:
    chance = random.Random(part)
    patterns = everything()
    assert len(patterns) > 500
    found = [words for use in patterns[part::PARTS] if use.name.partition("[")[0] not in OURS and (words := slow(use, chance)) is not None]
    assert found == []


KNOWN = [r"(?:<!--.{0,500}?-->\s*)*<html", r"(a|aa)+b", r"\s*\(?\s*x", r"(\w+\s?)*!", r"a.*b.*c", r"[“\"]\s*([^”\"]*?)\s*[”\"]", r"\s+$"]


@pytest.mark.parametrize("text", KNOWN)
def test_the_adversary_finds_what_is_known_to_be_slow(text: str) -> None:
    assert slow(Use("known", re.compile(text, re.DOTALL), "search"), random.Random(1)) is not None


@pytest.mark.parametrize("text", [r"\d{1,3}(?:\.\d{1,3}){3}", r"error|fehler", r"(?<!\s)\s*+x"])
def test_the_adversary_leaves_alone_what_is_linear(text: str) -> None:
    assert slow(Use("known", re.compile(text), "search"), random.Random(1)) is None


@pytest.mark.parametrize("text", ["(a|aa)+b", "((a+)+)+b$"])
async def test_a_pattern_of_a_user_is_stopped(text: str) -> None:
    workers, stopped = Workers(), 0
    try:
        async with measured() as loop:
            for data in ("a" * 200_000 + "\0", "aa " * 60_000 + "\0", "a" * 800 + "\0"):
                with contextlib.suppress(CheckFailed):
                    await Pattern(text).search(data, Searches(workers, test_a_pattern_of_a_user_is_stopped, lambda: 50.0))
                    stopped -= 1
                stopped += 1
    finally:
        workers.close()
    assert stopped
    assert loop.held < 0.15


def test_a_pattern_put_together_in_a_function_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text('import re\n\n\ndef find(text, part):\n    return re.search(f"{part}+", text)\n')
    (tmp_path / "two.py").write_text(
        'import re\nA = "x"\nB = re.compile(A + "+")\n\n\ndef find(text):\n    return re.search(A, text) or re.search("y+", text)\n'
    )

    assert [one.partition(": ")[0].rpartition("/")[2] for one in tool.faults(tmp_path)] == ["one.py:5"]
    assert [(one.text, one.how) for one in tool.literals(tmp_path)] == [("y+", "search")]
    assert list(tool.faults()) == []
