"""The web application: each module of pages, API, logins, status pages and metrics adds its routes over the site."""

import pkgutil
from collections.abc import Iterator, Sequence
from importlib import import_module

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from vigie.errors import StoreError
from vigie.web import buttons, feedback, pings, respond, static_files
from vigie.web.access import GuardedRoute
from vigie.web.errors import Errors
from vigie.web.gate import Gate
from vigie.web.hosts import Hosts, name_of
from vigie.web.page import HEADERS
from vigie.web.problems import Problems
from vigie.web.site import Site
from vigie.web.status.places import BASE, Pages, placed

_PACKAGES = ("pages", "api", "auth", "status", "metrics", "agents")


_BY_SECRET = (*pings.PATHS, "/agent/")  # where whoever asks shows a secret that no foreign page has


def build(site: Site, hosts: Hosts | None = None) -> ASGIApp:
    """The application. `hosts` are the names that a request may call us by, any where there are none.

    A ping or an agent may call us anything: its token is the secret, which a foreign page has not.
    """
    status_pages = site.status_pages
    routes = list(routes_of(site))
    errors = Errors(site)
    app = _application(routes, hosts, Gate(site, errors.store), status_pages.pages if status_pages is not None else tuple, errors)
    return Problems(app, routes)


def routes_of(site: Site) -> Iterator[BaseRoute]:
    """Every route that there is. Raises TypeError for one without a rule."""
    found: list[BaseRoute] = static_files.routes()
    for package in _PACKAGES:
        for module in sorted(one.name for one in pkgutil.iter_modules(import_module(f"vigie.web.{package}").__path__)):
            make = getattr(import_module(f"vigie.web.{package}.{module}"), "routes", None)
            found += make(site) if make is not None else []
    found += pings.routes(site.receiver) if site.receiver else []
    found += feedback.routes(site.feedback, site.pages) if site.feedback else []
    found += respond.routes(site.responses, site.pages) if site.responses else []
    found += buttons.routes(site.presses) if site.presses else []
    for one in found:
        if not isinstance(one, GuardedRoute):
            raise TypeError(f"{one} has no rule: make it by vigie.web.access.route")
        yield one


def build_pings(receiver: pings.PingReceiver) -> ASGIApp:
    """The application that takes pings and shows nothing."""
    return _application(pings.routes(receiver))


def _application(
    routes: Sequence[BaseRoute], hosts: Hosts | None = None, gate: Gate | None = None, pages: Pages = tuple, errors: Errors | None = None
) -> ASGIApp:
    """Nothing is ever redirected: `curl -f` takes a redirect for success, and what was to be done would not be done."""
    inner = Starlette(routes=routes, exception_handlers={StoreError: errors.store} if errors is not None else {})
    inner.router.redirect_slashes = False
    for_people = inner if errors is None else errors.people(inner)

    async def tidied(scope: Scope, receive: Receive, send: Send) -> None:
        path = "/" + "/".join(part for part in scope["path"].split("/") if part)  # `//ping/x/` is `/ping/x`
        scope = {**scope, "path": path} if gate is None else gate.located({**scope, "path": path})
        host = Headers(scope=scope).get("host")
        place = placed(pages(), host, path)
        if place is None:  # a status page's own domain, where nothing else is
            await _nothing(scope, receive, send)
            return
        # A browser always sends one; a load balancer that speaks HTTP/1.0 does not.
        foreign = (
            hosts is not None and host is not None and not place.own_host and not path.startswith(_BY_SECRET) and not hosts.allow(host)
        )
        if foreign and host is not None:
            await _misdirected(host)(scope, receive, send)
        elif gate is None:
            await inner(scope, receive, send)
        else:
            scope = {**scope, "path": place.path, BASE: place.base}
            answer = inner if place.own_host else for_people
            await answer(await gate.identified(scope), receive, gate.hardened(scope, send))

    return tidied


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("There is nothing here.\n", status_code=404, headers=HEADERS)(scope, receive, send)


def _misdirected(host: str) -> Response:
    name = name_of(host)
    words = f"Vigie does not serve this host. If it is one of its names, add {name or 'it'} to `web.hosts` in vigie.yaml.\n"
    return PlainTextResponse(words, status_code=421, headers=HEADERS)
