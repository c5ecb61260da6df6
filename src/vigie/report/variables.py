"""The variables of a template: what a message says, as plain values. Their names are a contract; docs/templates.md is written from them."""

from datetime import tzinfo

from vigie.report.facts import Message
from vigie.text.formatting import timestamp

VARIABLES: dict[str, str] = {
    "headline": "The standard first line, at most 100 characters.",
    "subject": "The standard subject, at most 78 characters, with the key of the incident at its end.",
    "lines": "The standard sentences, a list: scope, what was observed, suspected cause, first step.",
    "channel": "The name of the channel.",
    "reason": "Why the message is sent, for example `opened`, `reminder`, `recovered`; see the table below.",
    "severity": "`outage` or `degradation`.",
    "cause": "The cause by its code, such as `tcp.refused`; empty where there is none.",
    "monitor": "The name of the monitor.",
    "target": "What is monitored: a URL, or a host and port. May be empty.",
    "incident": "The key of the incident, the same in every message about it.",
    "key": "The key of this notice, the same however often it is sent.",
    "opening": "Whether it is the first message of its thread.",
    "language": "`fr` or `en`.",
    "at": "When the notice was raised, such as `2026-11-24 14:02:05 UTC+1`.",
    "at_ms": "The same in milliseconds since 1970.",
    "since": "When the first check failed; empty where the message is about no incident.",
    "since_ms": "The same in milliseconds since 1970; 0 without an incident.",
    "facts": "The table of facts, a list of `id`, `label` and `value`.",
    "analysis": "The analysis by the language model, with `label`, `model` and `sentences` (a list), or nothing (`{% if analysis %}`).",
    "links": "The links, a list of `label` and `url`.",
    "actions": "The signed links by which a reader answers (acknowledge, snooze, resolve), a list of `label` and `url`.",
    "footer": "The last line.",
}


def variables(message: Message, channel: str, zone: tzinfo) -> dict[str, object]:
    """Every variable with its value: texts, numbers, lists and mappings of them."""
    analysis = message.analysis
    written = {"label": message.analysis_label, "model": analysis.model, "sentences": list(analysis.sentences)} if analysis else None
    return {
        "headline": message.headline,
        "subject": message.subject,
        "lines": list(message.lines),
        "channel": channel,
        "reason": str(message.reason),
        "severity": str(message.severity),
        "cause": str(message.cause or ""),
        "monitor": message.monitor,
        "target": message.target,
        "incident": message.thread,
        "key": message.key,
        "opening": message.opens_thread,
        "language": message.language,
        "at": timestamp(message.at, zone),
        "at_ms": message.at,
        "since": timestamp(message.since, zone) if message.since else "",
        "since_ms": message.since,
        "facts": [{"id": row.id, "label": row.label, "value": row.value} for row in message.rows],
        "analysis": written,
        "links": [{"label": link.label, "url": link.url} for link in message.links],
        "actions": [{"label": link.label, "url": link.url} for link in message.actions],
        "footer": message.footer,
    }
