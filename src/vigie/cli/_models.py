"""What `vigie doctor` says of language models: which there are, where they run, how fast, how they did; and pulling a missing one."""

import sys

import typer

from vigie.cli.common import counted, opened
from vigie.config import Desired
from vigie.engine.writer import Mode, brief, mode_for, write
from vigie.errors import ModelError, ModelFault
from vigie.ports import Clock, LanguageModel, Offered, Pulled
from vigie.report.cases import cases
from vigie.report.scores import Scores

_SHOWN = 8
_TRIAL_MS = 60_000


async def examined(found: Desired, model: LanguageModel, clock: Clock, *, pull: bool) -> list[str]:
    """Lines about a model that is there; one that is not is pulled when that is wanted. Raises ModelError with its fix."""
    try:
        first = await model.examine()
    except ModelError as error:
        if error.fault is not ModelFault.NOT_PULLED or not (pull or _agreed(model)):
            raise
        await _pulled(model)
        first = await model.examine()
    return [first, _listed(await model.offered()), await _speed(model, found.llm.language, clock), await _judged(found, model)]


def _agreed(model: LanguageModel) -> bool:
    """Ask only where somebody can answer."""
    return sys.stdin.isatty() and sys.stdout.isatty() and typer.confirm(f"{model.name} is not installed. Pull it now?", default=True)


async def _pulled(model: LanguageModel) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"pulling {model.name}", total=None)
        async for step in model.pull():
            progress.update(task, description=_doing(model, step), completed=step.done, total=step.whole or None)


def _doing(model: LanguageModel, step: Pulled) -> str:
    said = "".join(character for character in step.doing if character.isprintable())[:40]
    return f"pulling {model.name}: {said}"


def _listed(offered: list[Offered]) -> str:
    """Which models the server has, and where they run."""
    shown = [f"{one.name} ({', '.join(_facts(one))})" for one in offered[:_SHOWN]]
    more = f", and {len(offered) - _SHOWN} more" if len(offered) > _SHOWN else ""
    return "available models: " + (", ".join(shown) or "none") + more


def _facts(one: Offered) -> list[str]:
    size = [f"{one.size / 1e9:.1f} GB"] if one.size else []
    return [*size, "runs locally" if one.local else "runs remotely"]


async def _speed(model: LanguageModel, language: str, clock: Clock) -> str:
    """One frozen incident, timed: what a page would wait for."""
    case, started = cases()[0], clock.monotonic()
    try:
        about = brief(case.bundle, case.subject, language, mode_for(model.name))
        found = await write(model, about, _TRIAL_MS, clock)
    except ModelError as error:
        raise ModelError(error.fault, f"a trial report failed: {error.message}", error.fix) from error
    took, reply = clock.monotonic() - started, found.reply
    rate = f", {reply.reply_tokens / reply.decode_ms * 1000:.1f} tokens/s" if reply.reply_tokens and reply.decode_ms else ""
    return f"speed on this machine: a report in {took:.1f} s{rate}; {counted(len(found.analysis.sentences), 'sentence')} certified"


async def _judged(found: Desired, model: LanguageModel) -> str:
    """Its last evaluation, and what follows from it."""
    async with opened(found, make=True) as store:
        scores = await store.catalog.scores(model.name)
    if not scores:
        return f"never evaluated (`vigie report eval`); mode {found.llm.mode}: {_mode(found, model, None)}"
    newest = scores[0]
    shares = ", ".join(f"{name} {newest.shares[name].ratio or 0:.2f}" for name in ("valid", "accepted", "right cause"))
    return f"last evaluation: {shares}; mode {found.llm.mode}: {_mode(found, model, newest)}"


def _mode(found: Desired, model: LanguageModel, newest: Scores | None) -> str:
    if found.llm.mode in ("compose", "select"):
        return "as configured"
    small = mode_for(model.name) is Mode.SELECT
    return "it selects, code writes" if small or (newest is not None and not newest.good_enough) else "it writes, code checks"
