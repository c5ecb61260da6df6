"""How readers subscribe to a page, confirm, and leave. Opening a link changes nothing: programs that scan mails open every one."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from vigie.commands.status_pages import Subscribed, Subscriptions
from vigie.errors import StoreError
from vigie.report.publication import Subscriber
from vigie.report.status_page import StatusPage
from vigie.web.access import Public, route
from vigie.web.forms import body_of, fields_of, is_form
from vigie.web.limits import place_of
from vigie.web.page import HEADERS
from vigie.web.site import Site
from vigie.web.status.drawing import words_in
from vigie.web.status.responses import PublicPages, missing

_STATUS = {Subscribed.ASKED: 200, Subscribed.BAD_ADDRESS: 400, Subscribed.TOO_MANY: 429, Subscribed.NOT_OFFERED: 404}
_KEYS = {Subscribed.ASKED: "check_inbox", Subscribed.BAD_ADDRESS: "bad_address", Subscribed.TOO_MANY: "too_many"}
Answer = Callable[[Request, StatusPage, str, Subscriptions], Awaitable[Response]]


def routes(site: Site) -> list[BaseRoute]:
    """Below the page."""
    readers = _Readers(site)
    parts = [
        ("subscribe", readers.mail, Public.ANYBODY, ["POST"]),
        ("webhook", readers.webhook, Public.ANYBODY, ["GET", "POST"]),
        ("confirm/{id}/{token}", readers.confirm, Public.LINK, ["GET", "POST"]),
        ("unsubscribe/{id}/{token}", readers.leave, Public.LINK, ["GET", "POST"]),
    ]
    return [
        # Strangers do this, and the address holds their secret.
        route(
            f"/status/{{name}}/{path}", readers.answering(act), needs=needs, methods=methods, audited=False,
            name=f"status_{path.partition('/')[0]}",
        )
        for path, act, needs, methods in parts
    ]  # fmt: skip


def _client(request: Request) -> str:
    """Who shares a limit: whoever has an IPv6 network has more addresses than there are wishes."""
    return place_of(request.client.host) if request.client is not None else ""


class _Readers:
    """What readers do."""

    def __init__(self, site: Site) -> None:
        self._site, self._pages = site, PublicPages(site)

    def answering(self, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint: there must be such a public page, and somebody who keeps subscribers."""

        async def endpoint(request: Request) -> Response:
            found, readers = self._pages.asked(request), self._site.subscriptions
            if found is None or readers is None or not found[0].public:
                return missing()
            try:
                return await answer(request, *found, readers)
            except StoreError:
                return PlainTextResponse("Please try again in a minute.\n", 503, headers={**HEADERS, "Retry-After": "60"})

        return endpoint

    async def mail(self, request: Request, page: StatusPage, base: str, readers: Subscriptions) -> Response:
        """A wish to be sent mails; the same is said whether or not the address is known."""
        outcome = await readers.subscribe(page.name, await _field(request, "email"), _client(request))
        if outcome is Subscribed.NOT_OFFERED:
            return missing()
        return await self._said(request, page, base, _STATUS[outcome], _KEYS[outcome])

    async def webhook(self, request: Request, page: StatusPage, base: str, readers: Subscriptions) -> Response:
        """The form, and what it brings."""
        words = words_in(self._pages.language(request, page))
        if not page.webhooks:
            return missing()
        if request.method != "POST":
            return await self._pages.message(request, page, base, 200, words("webhook_title"), words("webhook_how"), form="webhook")
        outcome, secret = await readers.subscribe_webhook(page.name, await _field(request, "url"), _client(request))
        if outcome is Subscribed.ASKED:
            return await self._pages.message(request, page, base, 200, words("webhook_done_title"), words("webhook_done"), secret=secret)
        if outcome is Subscribed.BAD_ADDRESS:
            return await self._pages.message(request, page, base, 400, words("bad_address_title"), words("bad_webhook"), form="webhook")
        return await self._said(request, page, base, _STATUS[outcome], "too_many")

    async def confirm(self, request: Request, page: StatusPage, base: str, readers: Subscriptions) -> Response:
        """The link of the first message."""
        one = await self._invited(request, page, readers)
        if one is None:
            return await self._said(request, page, base, 404, "gone")
        if request.method == "POST" or one.confirmed_at is not None:
            await readers.confirm(one)
            return await self._said(request, page, base, 200, "confirmed")
        words = words_in(self._pages.language(request, page))
        said = words("confirm_how", title=page.title, address=one.address)
        return await self._pages.message(request, page, base, 200, words("confirm_title"), said, button=words("confirm"))

    async def leave(self, request: Request, page: StatusPage, base: str, readers: Subscriptions) -> Response:
        """The link of every later message; a mail program may POST to it by itself (RFC 8058)."""
        one = await self._invited(request, page, readers)
        if one is None:
            return await self._said(
                request, page, base, 200 if request.method == "POST" else 404, "unsubscribed" if request.method == "POST" else "gone"
            )
        if request.method == "POST":
            await readers.unsubscribe(one)
            return await self._said(request, page, base, 200, "unsubscribed")
        words = words_in(self._pages.language(request, page))
        said = words("unsubscribe_how", title=page.title, address=one.address)
        return await self._pages.message(request, page, base, 200, words("unsubscribe_title"), said, button=words("unsubscribe"))

    async def _invited(self, request: Request, page: StatusPage, readers: Subscriptions) -> Subscriber | None:
        return await readers.invited(page.name, request.path_params["id"], request.path_params["token"])

    async def _said(self, request: Request, page: StatusPage, base: str, status: int, key: str) -> Response:
        words = words_in(self._pages.language(request, page))
        return await self._pages.message(request, page, base, status, words(f"{key}_title"), words(key))


async def _field(request: Request, name: str) -> str:
    body = await body_of(request) if is_form(request) else None
    return "" if body is None else fields_of(body).get(name, "")
