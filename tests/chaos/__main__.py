"""Run a fleet, torment it, and say what it did and whether all is on record. The exit status is 1 when something is wrong."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.chaos import database, fleet
from tests.chaos.faults import Step, Tormentor, by_chance, in_turn
from tests.chaos.fleet import Deployment
from tests.chaos.forms import FORMS
from tests.chaos.network import INSIDE, Namespaces, Network, Relays, enter
from tests.chaos.script import END_MS, Script
from tests.chaos.summary import lines, summarised
from tests.chaos.verdict import Finding, Record, judge
from tests.chaos.world import World, until

SERVICES = 12
_DRAIN_SECONDS = 90.0  # until every notice must have been sent


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for."""

    form: str
    seconds: float
    seed: int
    folder: Path
    bounded: bool


async def main(options: Options) -> int:
    """One run."""
    started = time.monotonic()
    form = FORMS[options.form]
    network: Network = Namespaces(list(form.parts)) if os.environ.get(INSIDE) else Relays()
    script = Script.of(options.seed, SERVICES, round(options.seconds * 1000))
    world = World(script)
    await world.open(network.host("world"))
    deployment = Deployment(network, world, options.folder)
    what = f"{len(script.every)} outages of {SERVICES} services in {options.seconds:.0f} s"
    say(f"form {options.form}, seed {options.seed}, {network.name}, {what}; logs in {options.folder}")
    try:
        await form.prepare(deployment)
        await until("each service was checked", lambda: world.checks > 3 * SERVICES, fleet.READY_SECONDS)
        tormentor = Tormentor(deployment, say, lambda: database.holder(deployment.store, "evaluator"))
        await torment(tormentor, world, in_turn(deployment) if options.bounded else by_chance(deployment, options.seed))
        await drained(deployment)
        crashed = [one for part in deployment.parts.values() for one in part.ended]
        record = await recorded(deployment, tormentor, crashed)
    finally:
        await deployment.stop()
        await world.close()
        if isinstance(network, Relays):
            await network.close()
    (options.folder / "record.json").write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
    return tell(record, judge(record), world, tormentor.takeovers, time.monotonic() - started)


async def torment(tormentor: Tormentor, world: World, steps: Iterable[Step]) -> None:
    """Play the script from its beginning, with faults as long as there is time for the next one, and end it with the last fault."""
    world.began = round(time.time() * 1000)
    for step in steps:
        if world.now + step.lasts + step.rest > world.script.duration - END_MS:
            break
        await tormentor.do(step)
    world.script = world.script.ended(world.now)
    await asyncio.sleep(max(world.script.duration - world.now, 0) / 1000)  # slow: what is down then is up a little later


async def drained(deployment: Deployment) -> None:
    """Until the receiver has what there is to be had, or there was time enough for it; the verdict says what is missing."""
    wanted = 2 * len(deployment.world.script.every)
    with contextlib.suppress(TimeoutError):
        await until("every notice", lambda: len({one.key for one in deployment.world.received if one.taken}) >= wanted, _DRAIN_SECONDS)
    await asyncio.sleep(3)  # slow: what would come twice comes now


async def recorded(deployment: Deployment, tormentor: Tormentor, crashed: list[str]) -> Record:
    """What the database and the receiver have."""
    world = deployment.world
    assert world.began is not None
    incidents, notices = await database.rows(deployment.store, world.began)
    return Record(world.script.every, incidents, notices, world.received, tormentor.done, tormentor.blind, crashed, tormentor.clocks)


def tell(record: Record, findings: list[Finding], world: World, takeovers: list[int], seconds: float) -> int:
    """Print what was found, as lines for people and one of JSON; the exit status."""
    figures = summarised(record, takeovers)
    for line in world.other:
        say(f"about Vigie itself: {line}")
    for line in lines(figures):
        say(line)
    say(f"{world.checks} checks, {seconds:.0f} s")
    for finding in findings:
        say(f"WRONG  {finding}")
    say("VERDICT " + ("all is on record, once" if not findings else f"{len(findings)} findings"))
    sys.stdout.write(json.dumps({**figures, "findings": [str(one) for one in findings]}) + "\n")
    return 1 if findings else 0


def say(line: str) -> None:
    """Show how far it is."""
    sys.stderr.write(f"{line}\n")


def asked() -> Options:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--form", choices=FORMS, default=next(reversed(FORMS)))
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=round(time.time()))
    parser.add_argument("--bounded", action="store_true", help="every fault once, in a fixed order, within the time")
    parser.add_argument("--folder", type=Path, help="where the parts write; kept")
    found = parser.parse_args()
    folder = found.folder or Path(tempfile.mkdtemp(prefix="vigie-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    return Options(found.form, found.minutes * 60, found.seed, folder.resolve(), found.bounded)


if __name__ == "__main__":
    if INSIDE not in os.environ and (namespaces := enter()) is not None:
        os.environ[INSIDE] = "1"
        os.execvp(namespaces[0], [*namespaces, sys.executable, "-m", "tests.chaos", *sys.argv[1:]])
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends it ends the parts, too
    sys.exit(asyncio.run(main(asked())))
