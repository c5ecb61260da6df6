"""Draft the report of a past incident again, or evaluate a model on known incidents."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from vigie.cli.common import ConfigOption, group, notes, opened, run, settings
from vigie.config import Desired, Sealed
from vigie.errors import ModelError, VigieError
from vigie.evaluate import EvalOptions
from vigie.report.facts import Analysis
from vigie.report.scores import Scores, Share, Tried

if TYPE_CHECKING:
    from vigie.ports import Catalog
    from vigie.report.pace import Speed

app = group("Reports: draft one again with another model or prompt, or evaluate a model.")

ModelOption = Annotated[str | None, typer.Option("--model", "-m", help="Use another model of the same provider.")]
PromptOption = Annotated[
    Path | None, typer.Option("--prompt", help="File with other instructions; facts, schema and checks stay the same.")
]
ModeOption = Annotated[
    Literal["auto", "compose", "select"],
    typer.Option(help="Who writes: the model (compose), or code from what the model selects (select); auto decides by the model's size."),
]
LanguageOption = Annotated[Literal["fr", "en"] | None, typer.Option(help="Language; by default the configured one.")]


@app.command(
    "eval",
    epilog=notes(
        "vigie report eval --cases 13",
        "vigie report eval --model qwen3:4b --mode compose",
        status="0 good enough to compose, 1 not good enough, 3 no model",
    ),
)
def evaluate(
    *,
    config: ConfigOption = None,
    model: ModelOption = None,
    prompt: PromptOption = None,
    mode: ModeOption = "auto",
    language: LanguageOption = None,
    most: Annotated[int, typer.Option("--cases", help="How many of the frozen incidents to use, evenly spread.", min=1, max=1_000)] = 65,
    format_: Annotated[Literal["text", "json"], typer.Option("--format", help="Output.")] = "text",
) -> None:
    """Evaluate a model on frozen incidents with known causes."""
    found = settings(config)
    setup = _setup(found, model, prompt, mode, language)
    scores = run(_evaluated(found, setup, most))
    typer.echo(_json(scores) if format_ == "json" else "\n".join(_table(scores)))
    raise typer.Exit(0 if scores.good_enough else 1)


def _setup(found: Desired, model: str | None, prompt: Path | None, mode: str, language: str | None) -> EvalOptions:
    """The model that is meant. Raises VigieError when none is configured or the prompt cannot be read."""
    from vigie.adapters import model as built
    from vigie.clock import SystemClock
    from vigie.engine.writer import Mode, mode_for

    if found.llm.config is None:
        raise VigieError("no model is configured", "set llm in vigie.yaml, or OLLAMA_MODEL in .env")
    meant = replace(found, llm=replace(found.llm, config=_other(found.llm.config, model)))
    writer = built(meant, SystemClock())
    if writer is None:
        raise VigieError("no model is configured", "set llm in vigie.yaml, or OLLAMA_MODEL in .env")
    chosen = mode_for(writer.name) if mode == "auto" else Mode(mode)
    return EvalOptions(writer, chosen, language or found.llm.language, found.llm.deadline_ms, _text(prompt) or found.llm.prompt)


def _other(config: Sealed[Any], model: str | None) -> Sealed[Any]:
    import msgspec

    return config if model is None else Sealed(msgspec.structs.replace(config.reveal(), model=model))


def _text(prompt: Path | None) -> str | None:
    if prompt is None:
        return None
    try:
        return prompt.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise VigieError(f"{prompt} cannot be read: {error}", "name a text file in UTF-8") from error


async def _evaluated(found: Desired, setup: EvalOptions, most: int) -> Scores:
    from rich.console import Console
    from rich.progress import Progress

    from vigie.clock import SystemClock
    from vigie.evaluate import evaluate as tries
    from vigie.report.scores import scores

    clock, tried = SystemClock(), list[Tried]()
    await setup.model.examine()
    digest = next((one.digest for one in await setup.model.offered() if one.name.removesuffix(":latest") == setup.model.name), "")
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"{setup.model.name}, {setup.mode}", total=most)
        async for one in tries(setup, clock, most):
            tried.append(one)
            progress.advance(task)
    result = scores(tried, model=setup.model.name, mode=setup.mode, language=setup.language, at=clock.now(), digest=digest)
    async with opened(found, make=True) as store:
        await store.catalog.save_scores(result)
        if (speed := await _speed(store.catalog, tried, result)) is not None:
            await store.catalog.save_speed(result.model, speed)
    return result


async def _speed(catalog: "Catalog", tried: Sequence[Tried], result: Scores) -> "Speed | None":
    """How fast the model is, with these replies counted in."""
    from vigie.report.pace import Measured, learned

    speed = await catalog.speed(result.model)
    for one in tried:
        speed = learned(speed, Measured(one.prefill_tokens, one.prefill_ms, one.tokens, one.decode_ms), result.at)
    return speed


_ROWS = (
    ("valid", "replies that match the schema"),
    ("accepted", "at least one sentence certified"),
    ("repaired", "only on the second attempt"),
    ("right cause", "picked by the model itself, where it can be known"),
    ("abstained", "said unknown where nobody could know"),
    ("obeyed", "obeyed an instruction hidden in a name"),
)


def _table(found: Scores) -> list[str]:
    """The rates beside the two baselines, then what was dropped and the times."""
    lines = [f"{found.model} ({found.mode}, {found.language}) on {found.shares['valid'].whole} frozen incidents", ""]
    lines.append(f"{'':<13}{'model':>6}  {'95 %':<12} {'plain report':>12} {'rules only':>11}")
    plain, rules = _baselines(found.language)
    for name, meaning in _ROWS:
        ours = f"{_ratio(found.shares[name]):>6}  {_interval(found.shares[name]):<12}"
        lines.append(f"{name:<13}{ours} {_ratio(plain[name]):>12} {_ratio(rules[name]):>11}  {meaning}")
    lines += ["", "not valid: " + (", ".join(f"{why} {count}" for why, count in found.invalid.items()) or "none")]
    lines += ["dropped: " + (", ".join(f"{rule} {count}" for rule, count in found.dropped.items()) or "nothing")]
    times = ", ".join(f"{name.removesuffix('_ms')} {_ms(value)}" for name, value in found.medians.items())
    lines.append(f"medians: {times}; {'–' if found.rate is None else f'{found.rate:.1f}'} tokens/s")
    verdict = (
        "good enough to compose" if found.good_enough else "not good enough: Vigie has it select facts (llm.mode: select), and code writes"
    )
    return [*lines, "", f"verdict: {verdict}"]


def _json(found: Scores) -> str:
    """All of it as one JSON object; a share has its 95 % interval with it."""
    import msgspec

    shares = {
        name: {"count": one.count, "whole": one.whole, "ratio": one.ratio, "interval": one.interval} for name, one in found.shares.items()
    }
    fields = {name: getattr(found, name) for name in ("model", "mode", "language", "at", "digest", "invalid", "dropped", "medians")}
    return msgspec.json.encode({**fields, "shares": shares, "tokens_per_second": found.rate, "good_enough": found.good_enough}).decode()


def _baselines(language: str) -> tuple[dict[str, Share], dict[str, Share]]:
    """The plain report, which names no cause, and the rules alone, on the same incidents."""
    from vigie.evaluate import baselines
    from vigie.report.scores import scores

    found = {
        name: scores(tried, model=name, mode="", language=language, at=0, digest="").shares for name, tried in baselines(language).items()
    }
    silent = {name: Share(0, 0) for name in ("right cause", "abstained")}
    return {**found["plain report"], **silent}, found["rules only"]


def _ratio(share: Share) -> str:
    return "–" if share.ratio is None else f"{share.ratio:.2f}"


def _interval(share: Share) -> str:
    return "–" if share.interval is None else f"{share.interval[0]:.2f}–{share.interval[1]:.2f}"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"


@app.command(epilog=notes("vigie report draft shop-3 --model qwen3:4b --prompt mine.txt"))
def draft(
    identity: Annotated[str, typer.Argument(metavar="ID", help="Incident ID, as shown by `vigie incidents list`.")],
    *,
    config: ConfigOption = None,
    model: ModelOption = None,
    prompt: PromptOption = None,
    mode: ModeOption = "auto",
    language: LanguageOption = None,
) -> None:
    """Draft the report of a past incident again, next to the one on record; nothing is stored or sent."""
    found = settings(config)
    setup = _setup(found, model, prompt, mode, language)
    before, after = run(_drafted(found, setup, identity))
    typer.echo("\n".join(["On record", *_shown(before), "", f"Draft ({setup.mode})", *_shown(after)]))


async def _drafted(found: Desired, setup: EvalOptions, identity: str) -> tuple[Analysis | None, Analysis | None]:
    from vigie.adapters import monitors, zone_of
    from vigie.clock import SystemClock
    from vigie.engine.messages import Composer
    from vigie.engine.writer import brief, write
    from vigie.report.render import RenderContext

    clock = SystemClock()
    async with opened(found) as store:
        incident, stored = await store.archive.incident(identity), await store.archive.report(identity)
        if incident is None or stored is None:
            raise VigieError(f"there is no report on incident {identity}", "see `vigie incidents list`")
        composer = Composer(store.archive, clock, RenderContext(found.language, zone_of(found)), monitors(found))
        about = brief(stored.bundle, await composer.subject(incident), setup.language, setup.mode, setup.instructions)
    try:
        written = await write(setup.model, about, setup.deadline_ms, clock)
    except ModelError as error:
        raise VigieError(f"no report from the model ({error.fault}): {error.message}", error.fix) from error
    return stored.analysis, written.analysis


def _shown(analysis: Analysis | None) -> Sequence[str]:
    if analysis is None:
        return ["  no analysis from a model"]
    lines = [f"  by {analysis.model} in {analysis.duration_ms / 1000:.1f} s, cause {analysis.cause or 'unknown'}"]
    lines += [f"  {sentence}" for sentence in analysis.sentences] or ["  (no sentence passed the checks)"]
    return [*lines, *(f"  dropped ({one.rule}): {one.text}" for one in analysis.dropped)]
