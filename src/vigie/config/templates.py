"""The templates of a channel: keys that every channel takes, whatever its type."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from vigie.config.convert import build, named, unknown
from vigie.config.tree import Path, Tree
from vigie.core.notification import NoticeReason
from vigie.net import SHOWN
from vigie.report.variables import VARIABLES

Meta = msgspec.Meta
_SUBJECT = "Template of the subject, for channels that have one."
_HEADLINE = "Template of the first line."
_LINES = "Template of the sentences below it; each line that is not empty is one."
_BODY = "Template of all between the first line and the links: in place of the sentences, the analysis and the facts."


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Templates of one kind of message."""

    subject: Annotated[str | None, Meta(description=_SUBJECT)] = None
    headline: Annotated[str | None, Meta(description=_HEADLINE)] = None
    lines: Annotated[str | None, Meta(description=_LINES)] = None
    body: Annotated[str | None, Meta(description=_BODY)] = None

    def texts(self) -> dict[str, str]:
        """The templates that are set, by part."""
        return {part: text for part in ("subject", "headline", "lines", "body") if (text := getattr(self, part)) is not None}


class Templates(Words, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Your own words, in Jinja; see [templates](templates.md)."""

    reasons: Annotated[
        dict[str, Words],
        Meta(
            description="The same keys by reason, in place of those above.", examples=[{"recovered": {"headline": "{{ monitor }} is back"}}]
        ),
    ] = {}


class CommonChannel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys of every channel, whatever its type."""

    type: Annotated[str, Meta(description="Type of channel.", extra=SHOWN)]
    templates: Annotated[Templates | None, Meta(description="Your own words, in Jinja.")] = None


def templates_of(tree: Tree, raw: Any, path: Path) -> Templates | None:
    """The templates at a path, every fault noted: unknown keys and reasons, syntax, unknown variables. None where there are none."""
    if raw is None:
        return None
    if not isinstance(raw, dict):
        tree.fault(path, f"keys with values are expected, not {named(raw)}", "write `templates: {headline: …}`")
        return None
    by_reason = raw.get("reasons", {})
    found: Templates | None = build(tree, {key: value for key, value in raw.items() if key != "reasons"}, Templates, path)
    words = dict[str, Words]()
    if not isinstance(by_reason, dict):
        tree.fault((*path, "reasons"), f"keys with values are expected, not {named(by_reason)}")
        by_reason = {}
    for reason, values in by_reason.items():
        at = (*path, "reasons", reason)
        if reason not in list(NoticeReason):
            unknown(tree, at, reason, [str(one) for one in NoticeReason])
        elif not isinstance(values, dict):
            tree.fault(at, f"keys with values are expected, not {named(values)}")
        elif (one := build(tree, values, Words, at)) is not None:
            words[str(reason)] = one
    if found is None:
        return None
    found = msgspec.structs.replace(found, reasons=words)
    _check(tree, found, path)
    return found


def _check(tree: Tree, found: Templates, path: Path) -> None:
    from vigie.templating import faults  # it brings Jinja, which most configurations do not need

    for at, text in _texts(found, path):
        for fault in faults(text, VARIABLES):
            tree.fault(at, f"the template is not valid: {fault}", "docs/templates.md lists the variables")
    for words, at in [(found, path), *((one, (*path, "reasons", name)) for name, one in found.reasons.items())]:
        if words.lines is not None and words.body is not None:
            tree.fault((*at, "body"), "`body` takes the place of `lines`, which is set too", "leave one of them out")


def _texts(found: Templates, path: Path) -> Iterator[tuple[Path, str]]:
    """Each template with its path."""
    for part, text in found.texts().items():
        yield (*path, part), text
    for reason, words in found.reasons.items():
        for part, text in words.texts().items():
            yield (*path, "reasons", reason, part), text
