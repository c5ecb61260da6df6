"""What is sent to those who follow a status page: the same words that the page shows, by mail or as JSON."""

import json
from dataclasses import dataclass
from html import escape

from vigie.report.public_page import PublicPage, PublicPost, PublicUpdate
from vigie.report.publication import PostKind, Stage
from vigie.report.status_page import StatusPage
from vigie.text import pick
from vigie.text.formatting import date_time, local_time
from vigie.text.status_page import TEXTS

_STYLE = "font:15px/1.5 -apple-system,Segoe UI,Roboto,sans-serif;max-width:600px;margin:24px auto;padding:0 16px"
_SUBJECT = 78  # characters of a line of a mail (RFC 5322 §2.1.1)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one reader. `sender` is the name that it comes from, `headers` are those that are special to it."""

    to: str
    sender: str
    subject: str
    text: str
    html: str
    headers: tuple[tuple[str, str], ...] = ()


def words(key: str, language: str, **values: object) -> str:
    """A text of status pages."""
    return pick(TEXTS[key], language).format(**values)


def stage_words(stage: Stage, language: str) -> str:
    """How far it is, in words."""
    planned = stage in (Stage.PLANNED, Stage.UNDER_WAY, Stage.DONE)
    return words(f"stage_{stage.value}" if planned else stage.value, language)


def confirmation(page: StatusPage, to: str, confirm_url: str) -> Mail:
    """The one question that is sent to who is not known yet."""
    language = page.language
    lines = [words("confirm_mail", language, title=page.title), confirm_url, words("confirm_ignore", language)]
    subject = _cut(words("confirm_subject", language, title=page.title))
    return Mail(to, page.title, subject, "\n\n".join(lines) + "\n", _html(subject, lines), (("Auto-Submitted", "auto-generated"),))


def update_mail(page: PublicPage, post: PublicPost, update: PublicUpdate, to: str, url: str, unsubscribe_url: str) -> Mail:
    """An update; left by one click, without a login (RFC 8058)."""
    one, language = page.page, page.page.language
    subject = _cut(words("update_subject", language, title=one.title, stage=stage_words(update.stage, language), post=post.title))
    lines = [update.text, *_about(page, post)]
    feet = [words("mail_page", language, url=url), words("mail_unsubscribe", language, url=unsubscribe_url)]
    text = "\n\n".join([f"{stage_words(update.stage, language)} · {post.title}", *lines]) + "\n\n-- \n" + "\n".join(feet) + "\n"
    headers = (
        ("Auto-Submitted", "auto-generated"),
        ("Precedence", "list"),
        ("List-Unsubscribe", f"<{unsubscribe_url}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )
    return Mail(to, one.title, subject, text, _html(f"{stage_words(update.stage, language)} · {post.title}", lines, feet), headers)


def _about(page: PublicPage, post: PublicPost) -> list[str]:
    """Which services, and when."""
    language, zone = page.page.language, page.page.zone
    found = [words("affected", language, names=", ".join(post.services))] if post.services else []
    if post.kind is PostKind.MAINTENANCE and post.until is not None:
        found.append(words("from_to", language, start=date_time(post.start, zone, language), end=date_time(post.until, zone, language)))
    if post.next_update is not None:
        found.append(words("next_update", language, time=date_time(post.next_update, zone, language)))
    return found


def webhook_body(kind: str, page: PublicPage, post: PublicPost | None = None, update: PublicUpdate | None = None, **links: str) -> bytes:
    """A message to a webhook."""
    found: dict[str, object] = {"type": kind, "page": {"name": page.page.name, "title": page.page.title, "url": page.page.url}, **links}
    if post is not None:
        found["incident"] = post_document(page, post)
    if update is not None:
        found["update"] = update_document(page, update)
    return json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")


def instant(page: PublicPage, at: int | None) -> str | None:
    """RFC 3339, in the page's zone."""
    return None if at is None else local_time(at, page.page.zone).isoformat(timespec="seconds")


def post_document(page: PublicPage, post: PublicPost) -> dict[str, object]:
    """A post as JSON has it."""
    return {
        "id": post.id,
        "kind": post.kind.value,
        "title": post.title,
        "impact": post.impact.value,
        "stage": post.stage.value,
        "services": list(post.services),
        "started_at": instant(page, post.start),
        "until": instant(page, post.until),
        "ended_at": instant(page, post.ended),
        "next_update_at": instant(page, post.next_update),
        "updates": [update_document(page, one) for one in post.updates],
    }


def update_document(page: PublicPage, update: PublicUpdate) -> dict[str, object]:
    """An update as JSON has it."""
    return {"number": update.number, "at": instant(page, update.at), "stage": update.stage.value, "text": update.text}


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SUBJECT else flat[: _SUBJECT - 1].rstrip() + "…"


def _html(title: str, lines: list[str], feet: list[str] | None = None) -> str:
    """The same for programs that show HTML: no picture, nothing fetched, every text escaped, links as they are."""
    shown = "".join(f"<p>{_linked(line)}</p>" for line in lines)
    foot = "".join(f'<p style="font-size:13px;color:#5b626c">{_linked(line)}</p>' for line in feet or [])
    return (
        f'<!doctype html><html><body style="{_STYLE}">'
        f'<h1 style="font-size:19px">{escape(title)}</h1>{shown}{"<hr>" + foot if foot else ""}</body></html>'
    )


def _linked(line: str) -> str:
    """Text with its last word as a link where that is one."""
    before, _, last = line.rpartition(" ")
    if not last.startswith(("https://", "http://")) or "\n" in last:
        return escape(line).replace("\n", "<br>")
    return f'{escape(before)} <a href="{escape(last)}">{escape(last)}</a>'
