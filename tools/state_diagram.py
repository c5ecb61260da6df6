"""Draws docs/incident-states.md from the table of the state machine; `--check` fails when the page is stale."""

import sys
from pathlib import Path

from vigie.core.incident import TABLE, Count

PAGE = Path(__file__).parent.parent / "docs" / "incident-states.md"
THRESHOLDS = {Count.CONFIRM: "confirm", Count.RECOVER: "recover"}


def drawn() -> str:
    """The page."""
    lines = ["stateDiagram-v2", "    [*] --> healthy"]
    for (phase, signal), rule in TABLE.items():
        if rule.counts is None:
            lines.append(f"    {phase} --> {rule.then}: {signal}")
            continue
        name = THRESHOLDS[rule.counts]
        lines.append(f"    {phase} --> {rule.then}: {signal}, fewer than {name}")
        lines.append(f"    {phase} --> {rule.full}: {signal}, {name} in a row")
    diagram = "\n".join(lines)
    return (
        "# States of an incident\n\n"
        "Drawn from the table in `src/vigie/core/incident.py` by `make docs`; do not edit. A monitor runs this machine twice: on the outage\n"
        "track `down` is bad, on the degradation track `degraded` is. What a track cannot judge (`unknown`) moves nothing.\n\n"
        f"```mermaid\n{diagram}\n```\n"
    )


def main() -> int:
    """Write the page, or compare it."""
    if "--check" in sys.argv:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == drawn():
            return 0
        print(f"{PAGE.name} is stale: run `make docs`")
        return 1
    PAGE.write_text(drawn(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
