"""The whole message as one JSON object, for whoever reads it with a program: the webhook and the command of the user.

`version` 1: `key` (the same however often the notice is sent), `thread` (the incident), `opens_thread`, `reason`, `severity`, `cause` or
null, `language`, `monitor`, `target`, `at` and `since` (epoch ms; the notice, the first failed check), `headline`, `subject`,
`lines` [text], `rows` [{id, label, value}], `analysis` {label, model, language, sentences [text], duration_ms} or null,
`members` {label, rows [{id, label, value}], more} or null (the services of an alert about several), `ended` (what it is about is over),
`locations` [{location, status, cause or null, since, silent}] (what each of several locations sees; empty where there is one),
`actions` [{label, url}] (signed links to acknowledge, snooze, resolve), `links` [{label, url}] (those among them), `footer`.
Fields may be added under the same version.
"""

from typing import Any
from urllib.parse import quote

from vigie.report.facts import Link, Message

VERSION = 1


def plain_key(key: str) -> str:
    """A key as headers and variables may carry it: as it is when it is plain ASCII, else percent-encoded."""
    return quote(key, safe="!#$&'()*+,/:;=?@[]~ ", errors="replace")


def _links(links: tuple[Link, ...]) -> list[dict[str, str]]:
    """What a button carries in place of an address stays here."""
    return [{"label": link.label, "url": link.url} for link in links]


def document(message: Message) -> dict[str, Any]:
    """The object of a clean message; its fields are a contract (top of this file). What the check dropped of an analysis stays here."""
    plain = ("opens_thread", "reason", "severity", "cause", "language", "monitor", "target", "at", "since", "headline", "subject", "lines")
    analysis = message.analysis
    return {
        "version": VERSION,
        "key": plain_key(message.key),
        "thread": plain_key(message.thread),
        **{name: getattr(message, name) for name in plain},
        "rows": message.rows,
        "analysis": analysis
        and {
            "label": message.analysis_label,
            "model": analysis.model,
            "language": analysis.language,
            "sentences": analysis.sentences,
            "duration_ms": analysis.duration_ms,
        },
        "members": message.members,
        "ended": message.ended,
        "locations": [
            {"location": one.location, "status": one.status, "cause": one.cause, "since": one.since, "silent": one.silent}
            for one in message.locations
        ],
        "actions": _links(message.actions),
        "links": _links(message.links),
        "footer": message.footer,
    }
