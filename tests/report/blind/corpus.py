"""The corpora that were written before the checker was touched: honest paraphrases and lies about the facts of the frozen incidents.

One entry a line: case, names of the cited facts, sentence. A hash of the sentence puts it into one of two halves: `tune` was looked at while
the rules were written, `score` was not looked at until they were finished.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vigie.report import cases, verify
from vigie.report.facts import Bundle, FactKind

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Entry:
    """A sentence about one frozen incident, with the facts that it cites by name."""

    case: str
    names: tuple[str, ...]
    text: str
    language: str

    @property
    def half(self) -> str:
        """`tune` or `score`."""
        return "tune" if hashlib.sha256(self.text.encode()).digest()[0] % 2 else "score"


def entries(kind: str, language: str) -> list[Entry]:
    """All sentences of a kind (`honest`, `lies`, after `later_`, `second_` or `third_`) in a language."""
    lines = (HERE / f"{kind}.{language}.txt").read_text(encoding="utf-8").splitlines()
    parts = [line.split("|") for line in lines if line]
    return [Entry(case, tuple(names.split(",")), text, language) for case, names, text in parts]


@cache
def _cases() -> dict[str, cases.Case]:
    return {one.name: one for one in cases.cases()}


def accepted(entry: Entry) -> str:
    """The rule that a sentence breaks, empty when it may go out."""
    case = _cases()[entry.case]
    ids = [_id(case.bundle, name) for name in entry.names]
    reply = json.dumps({"cause": case.cause, "sentences": [{"text": entry.text, "facts": ids}]})
    found = verify.certify(reply, case.bundle, case.subject, case.hypotheses, entry.language, "m")
    return found.dropped[0].rule if found.dropped else ""


def _id(bundle: Bundle, name: str) -> str:
    """The number of a fact; `change.addresses` where both a change and a count of addresses are known."""
    kind = FactKind.CHANGE if name.startswith("change.") else None
    wanted = name.removeprefix("change.")
    return next(one.id for one in bundle.facts if one.evidence.name == wanted and kind in (None, one.evidence.kind))
