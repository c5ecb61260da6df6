"""From what queries give to what the API shows."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, cast

import msgspec

from vigie import errors
from vigie import resources as shown
from vigie.commands.definitions import Definition
from vigie.core import model
from vigie.ports import StoredReport, TimelineEntry
from vigie.queries.alerts import AlertView
from vigie.report import deliveries, history
from vigie.web.api._kit import instant, maybe

_WORDS = re.compile(r"(?<!^)(?=[A-Z])")


def faults(found: Iterable[errors.Fault]) -> list[shown.Fault]:
    """Faults of a configuration."""
    return [shown.Fault(key=one.key, detail=one.message if not one.file else f"{one.file}: {one.message}", fix=one.fix) for one in found]


def origin(one: Definition) -> shown.Origin:
    """Where it is defined."""
    if one.where:
        return shown.Origin(kind="file", where=one.where)
    return shown.Origin(kind="api", changed_by=one.changed_by, changed_at=maybe(one.changed_at))


def result(one: model.CheckResult) -> shown.Result:
    """One check."""
    http = (
        None
        if one.http is None
        else shown.Http(
            status=one.http.status, version=one.http.version, redirects=one.http.redirects, bytes=one.http.bytes, type=one.http.type
        )
    )
    tls = (
        None
        if one.tls is None
        else shown.Tls(
            version=one.tls.version,
            issuer=one.tls.issuer,
            subject=one.tls.subject,
            expires_at=maybe(one.tls.expires_at),
            days_left=one.tls.days_left,
        )
    )
    phases = one.timings
    return shown.Result(
        monitor=one.monitor,
        at=instant(one.at),
        status=one.status.value,
        cause=one.cause and one.cause.value,
        message=one.message,
        location=one.location,
        address=one.address,
        timings=shown.Timings(
            dns=phases.dns,
            connect=phases.connect,
            tls=phases.tls,
            first_byte=phases.first_byte,
            transfer=phases.transfer,
            total=phases.total,
        ),
        http=http,
        tls=tls,
        advice=list(one.advice),
    )


def incident(one: model.Incident) -> shown.Incident:
    """One span of trouble."""
    return shown.Incident(
        id=one.id,
        alert=one.alert or one.id,
        monitor=one.monitor,
        severity=one.severity.value,
        cause=one.cause.value,
        pattern=one.pattern.value,
        started_at=instant(one.started_at),
        opened_at=instant(one.opened_at),
        closed_at=maybe(one.closed_at),
        acked_by=one.acked_by,
        closed_by=one.closed_by,
        note=one.note,
    )


def alert(one: AlertView) -> shown.Alert:
    """One thread of notices."""
    return shown.Alert(
        id=one.first.alert or one.first.id,
        open=one.is_open,
        first=incident(one.first),
        members=[incident(each) for each in one.members],
        size=one.size,
        acked_by=one.acked_by,
        snoozed_until=maybe(one.snoozed_until),
        ended_at=maybe(one.ended_at),
    )


def steps(timeline: Iterable[TimelineEntry]) -> list[shown.Step]:
    """Decisions: each by its name, with what it says of itself but for what the step says already."""
    found = []
    for one in timeline:
        details: dict[str, Any] = msgspec.to_builtins(one.decision)
        kind = _WORDS.sub("_", type(one.decision).__name__).lower()
        found.append(shown.Step(at=instant(one.at), kind=kind, details={name: value for name, value in details.items() if name != "at"}))
    return found


def report(one: StoredReport | None, language: str) -> shown.Report | None:
    """The facts in one language, and what a model made of them."""
    if one is None:
        return None
    analysis = one.analysis
    return shown.Report(
        made_at=instant(one.made_at),
        facts=[shown.StatedFact(id=fact.id, text=fact.evidence.sentence(language)) for fact in one.bundle.facts],
        model=None if analysis is None else analysis.model,
        sentences=list(analysis.sentences) if analysis else [],
        dropped=[shown.DroppedSentence(rule=each.rule, text=each.text) for each in (analysis.dropped if analysis else ())],
        fault=one.fault,
    )


def delivered(accounts: Sequence[deliveries.Account]) -> list[shown.Delivery]:
    """What became of notices."""
    return [
        shown.Delivery(
            channel=one.channel,
            reason=one.reason.value,
            raised_at=instant(one.raised_at),
            state=cast("Any", one.fate.value),
            attempts=[shown.Attempt(at=instant(each.at), failure=each.failure, answer=each.answer) for each in one.attempts],
        )
        for one in accounts
    ]


def remarks(found: Iterable[history.Remark]) -> list[shown.Remark]:
    """What people said."""
    return [shown.Remark(at=instant(one.at), by=one.by, helpful=one.helpful, cause=one.cause, note=one.note) for one in found]
