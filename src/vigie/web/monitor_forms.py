"""The form of a monitor between page and model: what was entered, which fault belongs to which field, and what a trial gave, in rows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vigie.commands.monitors import Tried
from vigie.core.model import CheckResult, Status
from vigie.errors import Fault
from vigie.queries.forms import Entered, Field, FormQueries, KindForm
from vigie.report.wording import cause_words
from vigie.text.formatting import latency
from vigie.web.managing import Texts
from vigie.web.rendering import Words

PREFIX = "f."
_PLACE = re.compile(r"^\w+(\[[^\]]*\])+\.?|^monitors\.?")
_ITEM = re.compile(r"\[\d+\]")
_PHASES = ("dns", "connect", "tls", "first_byte", "transfer")
_MISSING = re.compile(r"(?<![`\w])`?(\w+)`? is missing")
_LONGEST_ADDRESS = 2_000


@dataclass(slots=True)
class Editing:
    """A form in use. `key` and `version` are those of what is edited, empty for what is new; `faults` by field, "" for all of it."""

    form: KindForm
    texts: dict[str, str]
    key: str = ""
    version: str = ""
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    yaml: str = ""
    tried: Tried | None = None
    refused: str = ""
    checked: bool = False

    @property
    def count(self) -> int:
        """How many fields have a fault."""
        return sum(1 for name in self.faults if name) + len(self.faults.get("", ()))

    def basic(self) -> list[Field]:
        """The fields that are seen at once: those of the kind that most people want."""
        return [one for one in self.form.fields if one.basic and one.key not in _COMMON and one.key != "url"]

    def common(self) -> list[Field]:
        """Name, pace and alerts."""
        return [one for one in self.form.fields if one.key in _COMMON and one.basic]

    def groups(self) -> list[tuple[str, list[Field]]]:
        """The other fields by the key that they are below, the kind's own first."""
        found: dict[str, list[Field]] = {}
        for one in self.form.fields:
            if not one.basic:
                found.setdefault(one.group.partition(".")[0], []).append(one)
        return sorted(found.items(), key=lambda item: item[0] == "")

    def is_used(self, fields: Sequence[Field]) -> bool:
        """Whether one of these has a value or a fault."""
        return any(self.texts.get(one.key) or one.key in self.faults for one in fields)


_COMMON = ("name", "every", "tags", "alert")


def entered(forms: FormQueries, found: Texts) -> tuple[Editing, Entered] | None:
    """What was sent, and what it says; None for a kind that there is not. An address of another kind changes the kind."""
    texts = {key: text for key, text in found.below(PREFIX).items() if text.strip()}
    kind = found.line("kind") or "http"
    by_address = forms.kind_of({"url": texts.get("url", "")})
    if found.one("do") != "kind" and by_address != "http":
        kind = by_address
    elif by_address not in ("http", kind):  # somebody chose another kind: that address is not of it
        del texts["url"]
    form = forms.form(kind)
    if form is None:
        return None
    said = forms.read(kind, texts)
    made = Editing(form, texts, found.line("key"), found.line("version"))
    made.yaml = forms.written(said.body) if said.body else ""
    assign(made, said.faults)
    return made, said


def of_body(forms: FormQueries, body: Mapping[str, Any]) -> Editing | None:
    """The form of an entry."""
    kind = forms.kind_of(body)
    form = forms.form(kind)
    if form is None:
        return None
    made = Editing(form, forms.filled(kind, body))
    made.yaml = forms.written(body) if body else ""
    return made


def addressed(text: str) -> str:
    """An address as people type it: without a scheme it is a web page."""
    bare = text.strip()[:_LONGEST_ADDRESS]
    return bare if not bare or "://" in bare else f"https://{bare}"


def assign(made: Editing, faults: Sequence[Fault], *, patient: bool = False) -> None:
    """Put each fault beside its field. `patient`: what is still missing is not said while somebody types."""
    keys = sorted((one.key for one in made.form.fields), key=len, reverse=True)
    for fault in faults:
        if patient and _MISSING.search(fault.message):
            continue
        place = _ITEM.sub("", _PLACE.sub("", fault.key))
        at = next((key for key in keys if place == key or place.startswith(f"{key}.")), "")
        if not at and (named := _MISSING.search(fault.message)):
            at = next((key for key in keys if key.rpartition(".")[2] == named[1]), "")
        if not at and place:
            at = next((key for key in keys if key.startswith(f"{place}.")), "")
        if fault not in made.faults.setdefault(at, []):
            made.faults[at].append(fault)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a trial's result: the mark of a state, what it is about, and what was seen."""

    mark: str
    name: str
    said: str


def lines_of(result: CheckResult, words: Words) -> list[Line]:
    """What a trial gave, the verdict first."""
    language = words.language
    mark = "ok" if result.status is Status.UP else result.status.value
    verdict = f"HTTP {result.http.status}" if result.http is not None else words(result.status.value)
    said = [cause_words(result.cause, result.figures, language)] if result.cause is not None else []
    if (total := result.timings.total) is not None:
        phases = [words(f"phase_{name}", ms=latency(ms, language)) for name in _PHASES if (ms := getattr(result.timings, name)) is not None]
        key = "in_ms" if phases else "took"
        said.append(words(key, total=latency(total, language), phases=", ".join(phases)))
    elif result.message and not said:
        said.append(result.message)
    found = [Line(mark, verdict, "; ".join(said) or result.message)]
    if (tls := result.tls) is not None and tls.days_left is not None:
        left = words("left", count=tls.days_left)
        text = words("certificate_of", subject=tls.subject or "?", issuer=tls.issuer or "?", left=left)
        found.append(Line("ok" if tls.days_left > 0 else "down", words("certificate"), text))
    if result.address:
        found.append(Line("up", words("address"), result.address))
    return [*found, *(Line("degraded", words("advice"), one) for one in result.advice)]
