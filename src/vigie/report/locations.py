"""What is said of the locations that check a service: where it fails and since when, and where not; nothing where there is one."""

import re
from collections.abc import Sequence
from datetime import tzinfo

from vigie.observation.locations import Sighting, Sightings, failing
from vigie.report.facts import Bundle, Evidence, Fact, FactKind, Subject
from vigie.report.wording import both, listed
from vigie.text import LANGUAGES, Pair, locations, pick
from vigie.text.formatting import clock_time, moment

_HEADLINE = 3  # names in a first line
_WORDS = re.compile(r"[a-z0-9][a-z0-9-]*")


def evidence(subject: Subject, zone: tzinfo) -> list[Evidence]:
    """From where it fails, from where it works, and which location is silent: a fact each, where there is such a one."""
    seen, at = subject.seen, subject.result.at
    parts = (
        ("fails", locations.FACT_FAILS, [one for one in seen if one.fails], True),
        ("works", locations.FACT_WORKS, [one for one in seen if one.works], False),
        ("silent", locations.FACT_SILENT, [one for one in seen if not (one.fails or one.works)], None),
    )
    found = []
    for name, template, ones, bad in parts:
        if ones:
            names: Pair = tuple(
                listed([_dated(one, clock_time(one.since, zone), language) if one.fails else one.location for one in ones], language)
                for language in LANGUAGES
            )  # type: ignore[assignment]  # one for each language
            value = ", ".join(one.location for one in ones)
            pair = both(template, places=names)
            found.append(Evidence(FactKind.LOCATION, f"locations.{name}", value, *pair, at=at, source="check", bad=bad))
    return found


def diagnosed(location: str, at: int) -> Evidence:
    """From where the diagnostics were run."""
    pair = both(locations.FACT_DIAGNOSED, places=location)
    return Evidence(FactKind.LOCATION, "locations.diagnostics", location, *pair, at=at, source="vigie")


def misplaced(text: str, cited: Sequence[Fact], seen: Sightings) -> bool:
    """Whether a sentence names a location without the fact that has it, or beside one of those that see the contrary."""
    words = set(_WORDS.findall(text.casefold()))
    named = {_side(one) for one in seen if one.location in words}
    shown = {fact.evidence.name for fact in cited if fact.evidence.name in _FACTS}
    if len(named) > 1 or not named <= shown:
        return bool(named)
    return bool(named) and ("locations.fails" in named) is not any(fact.evidence.bad for fact in cited)


def _side(one: Sighting) -> str:
    return "locations.fails" if one.fails else "locations.works" if one.works else "locations.silent"


def short(seen: Sightings) -> str:
    """For a first line: `paris + lyon`; empty where nothing is to be said."""
    names = failing(seen)
    more = f" +{len(names) - _HEADLINE}" if len(names) > _HEADLINE else ""
    return " + ".join(names[:_HEADLINE]) + more


def lines(subject: Subject, bundle: Bundle | None, zone: tzinfo, at: int, language: str) -> tuple[str, ...]:
    """From where it fails since when, and from where it works, while there is trouble; with the facts of the bundle where it is given."""
    seen = subject.seen
    if not seen:
        return ()
    clauses = [
        _clause(locations.FAILS, [one for one in seen if one.fails], language, (zone, at)),
        _clause(locations.WORKS, [one for one in seen if one.works], language),
        _clause(locations.SILENT, [one for one in seen if not (one.fails or one.works)], language),
    ]
    said = _sentence(clauses)
    facts = [fact.id for fact in bundle.facts if fact.evidence.name in _FACTS] if bundle is not None else []
    return (f"{said} [{', '.join(facts)}]." if facts else f"{said}.",) if said else ()


def brief(seen: Sightings, language: str) -> str:
    """`fails from lyon and paris, works from local`; empty where there is one location alone."""
    return ", ".join(
        filter(
            None,
            (
                _clause(locations.FAILS, [one for one in seen if one.fails], language),
                _clause(locations.WORKS, [one for one in seen if one.works], language),
                _clause(locations.SILENT, [one for one in seen if not (one.fails or one.works)], language),
            ),
        )
    )


_FACTS = ("locations.fails", "locations.works", "locations.silent")


def ended(subject: Subject, zone: tzinfo, at: int, language: str) -> tuple[str, ...]:
    """At the end: from where it works again and since when, from where it still fails, and from where it never failed."""
    seen, began = subject.seen_at_end, subject.incident.started_at
    if not seen:
        return ()
    failed = set(failing(subject.seen))
    back = [one for one in seen if one.works and (one.location in failed or one.since > began)]
    clauses = [
        _clause(locations.BACK, back, language, (zone, at)),
        _clause(locations.STILL, [one for one in seen if one.fails], language),
        _clause(locations.NEVER, [one for one in seen if one.works and one not in back], language),
        _clause(locations.SILENT, [one for one in seen if not (one.fails or one.works)], language),
    ]
    said = _sentence(clauses)
    return (f"{said}.",) if said else ()


def _clause(template: Pair, ones: Sequence[Sighting], language: str, since: tuple[tzinfo, int] | None = None) -> str:
    if not ones:
        return ""
    named = [one.location if since is None else _dated(one, moment(one.since, *since, language), language) for one in ones]
    return pick(template, language).format(places=listed(named, language))


def _dated(one: Sighting, at: str, language: str) -> str:
    return pick(locations.SINCE, language).format(name=one.location, at=at)


def _sentence(clauses: Sequence[str]) -> str:
    text = ", ".join(one for one in clauses if one)
    return text[:1].upper() + text[1:]
