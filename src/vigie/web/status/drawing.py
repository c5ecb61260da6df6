"""How a public page is written: HTML, feeds, a summary in JSON. It is given a PublicPage, and nothing else that it could show."""

import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC
from email.utils import formatdate
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

from jinja2 import Environment

from vigie.report.colours import ink_on
from vigie.report.letters import instant, post_document, stage_words
from vigie.report.public_page import DAY_MS, DAYS, PublicPage, PublicPost, PublicService, PublicState, on_language
from vigie.report.publication import PostKind
from vigie.report.status_page import StatusPage
from vigie.text import pick, plural
from vigie.text.formatting import availability, duration, latency, local_time, offset
from vigie.text.status_page import COUNTED, TEXTS
from vigie.text.terms import MONTHS, SHORT_MONTHS
from vigie.web.page import shown
from vigie.web.status.places import At

Words = Callable[..., str]
_NAMED = 3  # services that a headline names
_PAST = 10  # incidents on the page itself; the others are in its history
_FED = 50  # updates in a feed
_LOW, _HIGH, _FULL = 4, 15, 721  # height of a tick: 4 + 15·log(1 + minutes) / log(721), of 19
TICKS = "".join(f"M{3 * day} 16h2v3h-2z" for day in range(DAYS))


def languages(page: StatusPage) -> tuple[str, str]:
    """That of the page, and the other one."""
    return page.language, "fr" if page.language == "en" else "en"


def words_in(language: str) -> Words:
    """The words of public pages."""

    def words(key: str, **values: object) -> str:
        count = values.get("count")
        template = plural(COUNTED[key], count, language) if key in COUNTED and isinstance(count, int) else pick(TEXTS[key], language)
        return template.format(**values)

    return words


def lines_shown(text: str) -> str:
    """As `shown`, line by line."""
    return "\n".join(shown(line) for line in text.split("\n"))


def templates(pages: Environment) -> Environment:
    """The templates with what public ones need."""
    pages.filters["shown_lines"] = lines_shown
    return pages


def html(pages: Environment, public: PublicPage, view: str, language: str, at: At, **more: Any) -> str:
    """A page: `page`, `history` or `message`, whose `heading` and what is `said` come in `more`."""
    public = on_language(public, language)
    context = {**_frame(public, language, at), **_VIEWS[view](public, language, at), **more}
    text: str = templates(pages).get_template(f"public_{view}.html.j2").render(context)
    return text


def _frame(public: PublicPage, language: str, at: At) -> dict[str, Any]:
    zone = public.page.zone
    return {
        "words": words_in(language),
        "language": language,
        "other": "fr" if language == "en" else "en",
        "public": public,
        "page": public.page,
        "at": at,
        "zone_words": offset(local_time(public.as_of, zone)),
        "iso": lambda at: local_time(at, zone).isoformat(timespec="seconds"),
        "moment": lambda at: moment(public, at, language),
        "stage": lambda stage: stage_words(stage, language),
        "lasted": lambda post: duration(max((post.ended or public.as_of) - post.start, 60_000), language),
        "day_of": lambda at: _date(at, public, language),
        "secret": "",
        "button": "",
        "form": "",
    }


def _page_view(public: PublicPage, language: str, at: At) -> dict[str, Any]:
    words = words_in(language)
    own = dict(public.page.words)
    return {
        "headline": headline(public, language),
        "lede": _lede(public, words, language),
        "ticks": TICKS,
        "state": lambda state: own.get(state.value) or words(state.value),
        "share": lambda ratio: share(ratio, language),
        "latency": lambda ms: latency(ms, language),
        "tape": tape,
        "tape_words": lambda one: tape_words(one, words, language),
        "labels": _labels(public, words, language),
        "span": lambda start, until: _span(public, start, until, language),
        "ways": _ways(at, words),
        "past": _past(public, language),
        "first_line": lambda post: post.updates[0].text.strip().partition("\n")[0][:200],
    }


def _history_view(public: PublicPage, language: str, at: At) -> dict[str, Any]:  # noqa: ARG001 - the signature of a view
    return {"posts": sorted((*public.posts, *public.past), key=lambda one: -one.start)}


def _message_view(public: PublicPage, language: str, at: At) -> dict[str, Any]:  # noqa: ARG001 - the signature of a view
    return {"quiet": True}


_VIEWS = {"page": _page_view, "history": _history_view, "message": _message_view}


def headline(public: PublicPage, language: str) -> str:
    """What people say is going on, or else how the services are."""
    if public.incidents:
        return public.incidents[0].title
    words, state = words_in(language), public.state
    if state is PublicState.UP:
        return words("all_up")
    concerned = [one.name for one in public.services if one.state is state]
    count, total = len(concerned), len(public.services)
    if count > _NAMED:
        return words(f"some_{state.value}", count=count, total=total)
    names = concerned[0] if count == 1 else words("and", first=", ".join(concerned[:-1]), last=concerned[-1])
    return words(f"named_{state.value}", count=count, names=names)


def _lede(public: PublicPage, words: Words, language: str) -> str:
    if public.incidents:
        post = public.incidents[0]
        next_update = "" if post.next_update is None else " " + words("next_update", time=moment(public, post.next_update, language))
        return words("since", time=moment(public, post.start, language)) + next_update
    state = public.state
    since = [one.since for one in public.services if one.state is state and one.since is not None]
    return words("since", time=moment(public, min(since), language)) if since else ""


def moment(public: PublicPage, at: int, language: str) -> str:
    """`03:31`, or with the date when that is another day's."""
    local = local_time(at, public.page.zone)
    return f"{local:%H:%M}" if f"{local:%Y-%m-%d}" == public.day else f"{_date(at, public, language)}, {local:%H:%M}"


def _date(at: int, public: PublicPage, language: str) -> str:
    local = local_time(at, public.page.zone)
    day = "1er" if language == "fr" and local.day == 1 else str(local.day)
    year = "" if f"{local:%Y}" == public.day[:4] else f" {local.year}"
    return f"{day} {pick(MONTHS[local.month - 1], language)}{year}"


def _span(public: PublicPage, start: int, until: int | None, language: str) -> str:
    first = f"{_date(start, public, language)}, {local_time(start, public.page.zone):%H:%M}"
    if until is None:
        return first
    same = local_time(start, public.page.zone).date() == local_time(until, public.page.zone).date()
    last = f"{local_time(until, public.page.zone):%H:%M}"
    return f"{first} – {last if same else f'{_date(until, public, language)}, {last}'}"


def share(ratio: float, language: str) -> str:
    """Rounded down, so that 100 % means no loss."""
    return availability(ratio, language)


def tape(one: PublicService) -> str:
    """What is drawn over the healthy ticks: gaps where nothing was observed, and what rises with the time lost."""
    paths = {"off": "", "x": "", "g": "", "d": ""}
    for first, count in _runs(one.unseen):
        paths["off"] += f"M{3 * first} 15h{3 * count}v5h-{3 * count}z"
        paths["x"] += f"M{3 * first} 17.5h{3 * count - 1}"
    for trouble in one.troubles:
        if trouble.degraded:
            paths["g"] += _tick(trouble.day, trouble.degraded + trouble.down)
        if trouble.down:
            paths["d"] += _tick(trouble.day, trouble.down)
    return "".join(f'<path class="{name}" d="{path}"/>' for name, path in paths.items() if path)


def _tick(day: int, minutes: float) -> str:
    height = round(min(_LOW + _HIGH * math.log(1 + minutes) / math.log(_FULL), _LOW + _HIGH))
    return f"M{3 * day} {19 - height}h2V19h-2z"


def _runs(days: Sequence[int]) -> list[tuple[int, int]]:
    """(first, how many) of days that follow one another."""
    runs = [list(group) for _, group in groupby(enumerate(days), lambda pair: pair[1] - pair[0])]
    return [(run[0][1], len(run)) for run in runs]


def tape_words(one: PublicService, words: Words, language: str) -> str:
    """The same in words."""
    text = words("tape", name=one.name)
    text += "" if one.availability is None else words("tape_available", share=share(one.availability, language))
    return text + (words("trouble_days", count=len(one.troubles)) if one.troubles else "")


def _labels(public: PublicPage, words: Words, language: str) -> list[str]:
    def label(day: int) -> str:
        local = local_time(public.first_day + day * DAY_MS, public.page.zone)
        return f"{local.day} {pick(SHORT_MONTHS[local.month - 1], language)}"

    return [label(0), label(30), label(60), words("today")]


def _ways(at: At, words: Words) -> str:
    links = [(at.rss, "RSS"), (at.atom, "Atom"), (at.webhook, words("webhook"))]
    made = [f'<a href="{escape(to)}">{escape(name)}</a>' for to, name in links if to]
    return words("also", ways=words("or", first=", ".join(made[:-1]), last=made[-1]))


def _past(public: PublicPage, language: str) -> list[tuple[str, list[PublicPost]]]:
    """The incidents of the last days, by the date on which they began."""
    recent = [one for one in public.past if one.kind is PostKind.INCIDENT and one.start >= public.first_day][:_PAST]
    return [(day, list(posts)) for day, posts in groupby(recent, lambda one: _date(one.start, public, language))]


def theme(page: StatusPage) -> str:
    """The sheet with the page's own colours."""
    if page.accent is None:
        return ""
    light, dark = page.accent.light, page.accent.dark
    ink = f"light-dark({ink_on(light)}, {ink_on(dark)})"
    return f":root {{ --link: light-dark({light}, {dark}); --key: light-dark({light}, {dark}); --on-key: {ink}; }}\n"


def summary(public: PublicPage) -> str:
    """The page as JSON (docs/status-pages.md)."""
    page = public.page
    document = {
        "page": {"name": page.name, "title": page.title, "url": page.url, "language": page.language},
        "status": public.state.value,
        "headline": headline(public, page.language),
        "groups": [
            {"title": section.title or None, "services": [_service(public, one) for one in section.services]} for section in public.sections
        ],
        "incidents": [post_document(public, one) for one in public.incidents],
        "maintenance": [
            *(post_document(public, one) for one in public.planned),
            *(
                {
                    "kind": "maintenance",
                    "services": list(one.services),
                    "started_at": instant(public, one.start),
                    "until": instant(public, one.until),
                }
                for one in public.works
            ),
        ],
        "past": [post_document(public, one) for one in public.past if one.start >= public.first_day],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _service(public: PublicPage, one: PublicService) -> dict[str, Any]:
    found: dict[str, Any] = {"key": one.key, "name": one.name, "status": one.state.value, "since": instant(public, one.since)}
    if public.page.show_availability:
        found["availability"] = {
            f"{days}d": None if ratio is None else math.floor(ratio * 1_000_000) / 1_000_000 for days, ratio in one.availabilities
        }
    if public.page.show_latency:
        found["latency_ms"] = None if one.latency_ms is None else round(one.latency_ms)
    found["days"] = [
        {
            "date": f"{local_time(public.first_day + day.day * DAY_MS, UTC):%Y-%m-%d}",
            "down_minutes": round(day.down, 1),
            "degraded_minutes": round(day.degraded, 1),
        }
        for day in one.troubles
    ]
    return found


def atom(public: PublicPage) -> str:
    """Updates as an Atom feed (RFC 4287)."""
    page, url, words = public.page, _url(public), words_in(public.page.language)
    entries = "".join(
        f"<entry><id>{_id(public, post, one.number)}</id><title>{xml(_entry_title(post, one.stage, page.language))}</title>"
        f"<updated>{instant(public, one.at)}</updated><link href={_quoted(f'{url}history#i-{post.id}')}/>"
        f'<content type="text">{xml(one.text)}</content></entry>'
        for post, one in _updates(public)
    )
    newest = instant(public, max((one.at for _, one in _updates(public)), default=public.first_day))
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{page.language}"><id>urn:vigie:status:{page.name}</id>'
        f"<title>{xml(words('feed_title', title=page.title))}</title><updated>{newest}</updated>"
        f"<author><name>{xml(page.title)}</name></author>"
        f'<link href={_quoted(url)}/><link rel="self" href={_quoted(url + "feed.atom")}/>{entries}</feed>\n'
    )


def rss(public: PublicPage) -> str:
    """The same as RSS 2.0."""
    page, url, words = public.page, _url(public), words_in(public.page.language)
    title = xml(words("feed_title", title=page.title))
    items = "".join(
        f'<item><guid isPermaLink="false">{_id(public, post, one.number)}</guid>'
        f"<title>{xml(_entry_title(post, one.stage, page.language))}</title>"
        f"<pubDate>{_mail_date(one.at)}</pubDate><link>{xml(f'{url}history#i-{post.id}')}</link><description>{xml(one.text)}</description></item>"
        for post, one in _updates(public)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<rss version="2.0"><channel><title>{title}</title><link>{xml(url)}</link><description>{title}</description>'
        f"<language>{page.language}</language>{items}</channel></rss>\n"
    )


def _updates(public: PublicPage) -> list[tuple[PublicPost, Any]]:
    """Newest first."""
    every = [(post, one) for post in (*public.posts, *public.past) for one in post.updates]
    return sorted(every, key=lambda pair: -pair[1].at)[:_FED]


def _entry_title(post: PublicPost, stage: Any, language: str) -> str:
    return f"{stage_words(stage, language)}{' : ' if language == 'fr' else ': '}{post.title}"


def _id(public: PublicPage, post: PublicPost, number: int) -> str:
    return f"urn:vigie:status:{public.page.name}:{post.id}:{number}"


def _url(public: PublicPage) -> str:
    """The page's address with a slash; empty where nobody knows it, so that links are relative."""
    return "" if public.page.url is None else public.page.url.rstrip("/") + "/"


def _mail_date(at: int) -> str:
    return formatdate(at / 1000)


def xml(text: str) -> str:
    """Escaped, and without what no XML may hold (XML 1.0 §2.2)."""
    return escape("".join(char for char in lines_shown(text) if char not in "\ufffe\uffff"))


def _quoted(text: str) -> str:
    return '"' + escape(text, {'"': "&quot;"}) + '"'
