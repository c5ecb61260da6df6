"""Draws docs/incident-states.md and docs/alert-states.md from the tables of the state machines; `--check` fails when one is stale."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from vigie.core import alert, incident

DOCS = Path(__file__).parent.parent / "docs"
THRESHOLDS = {incident.Count.CONFIRM: ("confirm", ", or too many of the last ones"), incident.Count.RECOVER: ("recover", "")}


def incident_states() -> str:
    """The page of the first machine."""
    return _page(
        "States of an incident",
        "Drawn from the table in `src/vigie/core/incident.py` by `make docs`; do not edit. A monitor runs this machine twice: on the outage\n"
        "track `down` is bad, on the degradation track `degraded` is. What a track cannot judge (`unknown`) moves nothing. `confirm` and `recover`\n"
        "are a number of checks or a duration. A failure that comes between good checks too often (`rate`), or of a service that flaps, also leads\n"
        "to `open`, and such an incident closes later: see the laws in `src/vigie/core/intermittent.py`.",
        _incident_arrows(),
    )


def _incident_arrows() -> Iterator[str]:
    yield f"[*] --> {incident.Phase.HEALTHY}"
    for (phase, signal), rule in incident.TABLE.items():
        if rule.counts is None:
            yield f"{phase} --> {rule.then}: {signal}"
            continue
        name, more = THRESHOLDS[rule.counts]
        yield f"{phase} --> {rule.then}: {signal}, fewer than {name}"
        yield f"{phase} --> {rule.full}: {signal}, {name} in a row{more}"


def alert_states() -> str:
    """The page of the second machine."""
    return _page(
        "States of an alert",
        "Drawn from the table in `src/vigie/core/alert.py` by `make docs`; do not edit. On each arrow stands what the event means to the alert\n"
        "and, after the dash, what is decided. What no arrow says does nothing. Once `ended`, an alert stays so: the next incident begins\n"
        "another one.",
        _alert_arrows(),
    )


def _alert_arrows() -> Iterator[str]:
    yield f"[*] --> {alert.Phase.NEW}"
    for (phase, signal), rule in alert.TABLE.items():
        yield f"{phase} --> {rule.then}: {signal} – {rule.act}"
    yield f"{alert.Phase.ENDED} --> [*]"


def _page(title: str, text: str, arrows: Iterator[str]) -> str:
    diagram = "\n".join(["stateDiagram-v2", *(f"    {one}" for one in arrows)])
    return f"# {title}\n\n{text}\n\n```mermaid\n{diagram}\n```\n"


def pages() -> Mapping[str, str]:
    """The text of each page by its name."""
    return {"incident-states.md": incident_states(), "alert-states.md": alert_states()}


def main(arguments: list[str], docs: Path = DOCS) -> int:
    """Write the pages, or compare them."""
    if "--check" not in arguments:
        for name, text in pages().items():
            (docs / name).write_text(text, encoding="utf-8")
        return 0
    stale = [name for name, text in pages().items() if not (docs / name).is_file() or (docs / name).read_text(encoding="utf-8") != text]
    for name in stale:
        print(f"{name} is stale: run `make docs`")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
