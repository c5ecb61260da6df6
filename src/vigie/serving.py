"""`vigie serve` as a program: locks its state, listens, gives the web what it shows, and runs until it is asked to stop."""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from vigie.accounts import Role
from vigie.adapters import state_of
from vigie.administration import administer
from vigie.config import Desired
from vigie.descriptors import FEW, for_connections, raise_limit
from vigie.engine.alive import keep_alive
from vigie.engine.leases import EVALUATOR, RETENTION, Duty
from vigie.errors import VigieError
from vigie.membership import Membership
from vigie.memory import keep_collections_short, one_arena
from vigie.net import client, system_ca_file
from vigie.ports import Clock
from vigie.records import postmortem
from vigie.reloading import Edit, LogOf, same_log
from vigie.server import Server
from vigie.terms import Terms
from vigie.text.formatting import counted
from vigie.web.app import build, build_pings
from vigie.web.connection import App
from vigie.web.forwarded import networks
from vigie.web.hosts import Hosts, own_names
from vigie.web.listener import Listener
from vigie.web.recent import Recent
from vigie.web.setting import AccessSetting, OidcSetting
from vigie.web.site import Commands, Site

log = logging.getLogger("vigie.server")

_STOPPING = "stopping: finishing checks in progress, sending what is queued; a second Ctrl-C or SIGTERM ends at once"
_ANSWERS_SECONDS = 3.0  # of a graceful stop, for what is being answered
_FORMER_SECONDS = 1.0  # of one, for the former duties of this server
_OIDC_SECONDS = 10.0
_BACKLOG = 512  # connections that the system holds until they are accepted


def site_of(server: Server) -> Site:
    """What the web is given by a running server: one line for each of its parts."""
    site = Site(
        queries=server.reads.queries,
        health=server.reads.health,
        setting=server.setting,
        measures=server.reads.measures,
        alerts=server.reads.alerts,
        history=server.reads.queries.history,
        live=server.reads.live,
        board=server.reads.board,
        details=server.reads.details,
        drafts=lambda alert, language: postmortem(server.settings, server.runtime.store, server.runtime.clock, alert, language),
        size=Recent(server.reads.queries.history.size),
        receiver=server.heartbeats,
        feedback=server.feedback,
        responses=server.responding.responses,
        presses=server.responding.buttons,
        reports=server.agents.desk,
        agents=server.agents.desk,
        accounts=server.runtime.store.accounts,
        access=access_of(server.settings),
        now=server.now,
        fleet=server.reads.fleet,
        status_pages=server.publishing.queries,
        subscriptions=server.publishing.subscriptions,
        commands=Commands(
            alerts=server.alert_desk,
            monitors=server.monitor_desk,
            definitions=server.reloading.definitions,
            probing=server.probing,
            status_pages=server.publishing.commands,
            agents=server.agents.desk,
        ),
    )
    administer(site, server)
    return site


def access_of(settings: Desired) -> AccessSetting:
    """How the page is reached, and who else may vouch for people."""
    web = settings.web
    return AccessSetting(web.listen, web.public_url, networks(web.trusted_proxies), _oidc(settings))


def _oidc(settings: Desired) -> OidcSetting | None:
    one, trust = settings.web.oidc, system_ca_file()
    if one is None:
        return None
    return OidcSetting(
        one.issuer.rstrip("/"),
        one.client_id,
        one.client_secret.reveal(),
        lambda url: client(url, settings.proxies, ssl.create_default_context(cafile=trust), _OIDC_SECONDS),
        one.scopes,
        one.claim,
        {value: Role[role.upper()] for value, role in one.roles.items()},
        None if one.default_role is None else Role[one.default_role.upper()],
        tuple(domain.lower() for domain in one.domains),
        one.name,
    )


async def _invite(site: Site) -> None:
    """Tell how the first account is made, where others can reach the page and nobody has one."""
    if site.accounts is None or site.access.private or await site.accounts.any_user():
        return
    base = site.access.base
    for anywhere in ("//0.0.0.0:", "//[::]:"):
        base = base.replace(anywhere, f"//{socket.gethostname()}:")
    link = f"{base}/setup/{site.door.open_setup()}"
    log.warning("nobody has an account, so that the page is closed. Create the first one within an hour: %s", link)


async def serve(
    settings: Desired,
    clock: Clock,
    reload: Callable[[], Desired],
    stop: asyncio.Event,
    again: asyncio.Event,
    log_of: LogOf = same_log,
    edit: Edit | None = None,
) -> None:
    """Run until `stop` is set; `again` asks for a reload. Raises VigieError when the port is taken."""
    one_arena()
    keep_collections_short()
    descriptors = raise_limit()
    if descriptors < FEW:
        log.warning("at most %d files may be open at once; raise the limit (ulimit -n) to %d", descriptors, FEW)
    front = Front(settings, descriptors)
    with state_of(settings).locked():
        if settings.shared:
            await _serve_among_others(settings, clock, reload, stop, again, log_of, edit, front)
            return
        service = Server(settings, clock, reload, log_of, edit)
        front.show(service)
        try:
            listeners = await front.listen()
        except VigieError:
            await service.runtime.store.close()
            raise
        try:
            await service.start()
            front.warm()
            log.info("watching %s; stop with Ctrl-C", counted(len(settings.monitors), "monitor", "en"))
            await _until(stop, again, lambda: service)
        finally:
            log.info(_STOPPING)
            await service.stop(_closed(listeners))


async def _serve_among_others(
    settings: Desired,
    clock: Clock,
    reload: Callable[[], Desired],
    stop: asyncio.Event,
    again: asyncio.Event,
    log_of: LogOf,
    edit: Edit | None,
    front: "Front",
) -> None:
    """On a store that other servers may work on, too: stand by, and evaluate while the lease is held."""
    member = Membership(settings, clock)
    try:
        await member.join()

        def make(duty: Duty, settings: Desired) -> Server:
            return Server(settings, clock, reload, log_of, edit, duty)

        standing_by = Duty(evaluates=False, leader=lambda: member.leader_url, checks_here=member.checks_here)
        terms = Terms(settings, make, front.show, member.look, standing_by, clock)
        await terms.start()
        listeners = await front.listen()
        front.warm()
        loops = {
            "the lease of the evaluator": lambda: member.keeper.hold(EVALUATOR, terms.evaluate),
            "the lease of retention": lambda: member.keeper.hold(RETENTION, member.keep_house),
            "what is said of this server": lambda: member.report(lambda: terms.server),
        }
        tasks = [asyncio.create_task(keep_alive(name, run, clock)) for name, run in loops.items()]
        log.info("%s: watching %s with others; stop with Ctrl-C", member.name, counted(len(settings.monitors), "monitor", "en"))
        try:
            await _until(stop, again, lambda: terms.server)
        finally:
            log.info(_STOPPING)
            await terms.stop().stop(_closed(listeners), last=member.alone())
            for task in tasks:  # which gives the leases back
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await terms.close(_FORMER_SECONDS)
    finally:
        await member.leave()


async def _until(stop: asyncio.Event, again: asyncio.Event, service: Callable[[], Server]) -> None:
    while not stop.is_set():
        waits = [asyncio.create_task(event.wait()) for event in (stop, again)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if again.is_set():
            again.clear()
            service().reloading.ask()


def _closed(listeners: Sequence[Listener]) -> Awaitable[object]:
    return asyncio.gather(*(one.close(_ANSWERS_SECONDS) for one in listeners))


class Front:
    """What is listened on, and the server that answers: another one may be put in its place while clients are connected."""

    def __init__(self, settings: Desired, descriptors: int) -> None:
        self._web, self._descriptors = settings.web, descriptors
        self._site: Site | None = None
        self._pages: App | None = None
        self._pings: App | None = None

    def show(self, server: Server) -> None:
        """Have this one answer from now on; what the way in remembers, and what is compiled, stays."""
        web, before = self._web, self._site
        if web.enabled:
            self._site = site = site_of(server)
            if before is not None:
                site.door, site.pages, site.renderer = before.door, before.pages, before.renderer
            self._pages = build(site, Hosts(own_names(web.listen, web.public_url, web.hosts)))
        if web.pings_listen is not None:
            self._pings = build_pings(server.heartbeats)

    def warm(self) -> None:
        """Have pages ready before somebody waits for one."""
        if self._site is not None:
            asyncio.get_running_loop().run_in_executor(self._site.renderer, self._site.warm)

    async def listen(self) -> list[Listener]:
        """Where the page is served, and where pings alone are taken. Raises VigieError that says why not."""
        web, wanted = self._web, list[tuple[str, str, str, App]]()
        if self._site is not None:
            wanted.append((web.listen, "web.listen", "status page on http://%s:%d/", lambda *call: self._answer(self._pages, *call)))
        if web.pings_listen is not None:
            words = "pings alone on http://%s:%d/ping/"
            wanted.append((web.pings_listen, "web.pings_listen", words, lambda *call: self._answer(self._pings, *call)))
        share = for_connections(self._descriptors, len(wanted))
        listeners: list[Listener] = []
        try:
            for listen, key, words, app in wanted:
                one = Listener(app, await _bound(listen, key), share)
                one.start()
                listeners.append(one)
                log.info(words, listen.rpartition(":")[0], one.port)
                if self._site is not None and key == "web.listen":
                    await _invite(self._site)
        except VigieError:
            for one in listeners:
                await one.close(0)
            raise
        return listeners

    async def _answer(self, app: App | None, scope: Any, receive: Any, send: Any) -> None:
        """By the one that is shown now."""
        if app is not None:
            await app(scope, receive, send)


def _instead(key: str) -> str:
    return "web.enabled to false" if key == "web.listen" else "remove it"


async def _bound(listen: str, key: str) -> list[socket.socket]:
    """Sockets that are bound there; raises VigieError that says why not."""
    host, _, port = listen.rpartition(":")
    try:
        server = await asyncio.start_server(lambda _, __: None, host.strip("[]"), int(port), start_serving=False)
        sockets = [one.dup() for one in server.sockets]
        server.close()
        for one in sockets:
            one.listen(_BACKLOG)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "is in use by another program" if taken else f"cannot be bound: {error.strerror or error}"
        raise VigieError(f"{listen} {why}", f"set {key} to a free port on this machine, or {_instead(key)}") from error
    return sockets
