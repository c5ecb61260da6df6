"""`vigie serve` as a program: locks its state, listens, gives the web what it shows, and runs until it is asked to stop."""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable

from vigie.accounts import Role
from vigie.administration import administer
from vigie.app import state_of
from vigie.config import Desired
from vigie.descriptors import FEW, for_connections, raise_limit
from vigie.errors import VigieError
from vigie.memory import one_arena
from vigie.net import client, system_ca_file
from vigie.ports import Clock
from vigie.records import postmortem
from vigie.server import Edit, LogOf, Server, same_log
from vigie.text.formatting import counted
from vigie.web.app import build, build_pings
from vigie.web.forwarded import networks
from vigie.web.hosts import Hosts, own_names
from vigie.web.listener import Listener
from vigie.web.recent import Recent
from vigie.web.setting import AccessSetting, OidcSetting
from vigie.web.site import Commands, Site

log = logging.getLogger("vigie.server")

_ANSWERS_SECONDS = 3.0  # of a graceful stop, for what is being answered
_OIDC_SECONDS = 10.0
_BACKLOG = 512  # connections that the system holds until they are accepted


def site_of(server: Server) -> Site:
    """What the web is given by a running server: one line for each of its parts."""
    site = Site(
        queries=server.queries,
        health=server.health,
        setting=server.setting,
        measures=server.measures,
        alerts=server.alerts,
        history=server.queries.history,
        live=server.live,
        board=server.board,
        details=server.details,
        drafts=lambda alert, language: postmortem(server.settings, server.runtime.store, server.runtime.clock, alert, language),
        size=Recent(server.queries.history.size),
        receiver=server.heartbeats,
        feedback=server.feedback,
        responses=server.responding.responses,
        presses=server.responding.buttons,
        accounts=server.runtime.store.accounts,
        access=access_of(server.settings),
        now=server.now,
        status_pages=server.publishing.queries,
        subscriptions=server.publishing.subscriptions,
        commands=Commands(
            alerts=server.alert_desk,
            monitors=server.monitor_desk,
            definitions=server.definitions,
            probing=server.probing,
            status_pages=server.publishing.commands,
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
    descriptors = raise_limit()
    if descriptors < FEW:
        log.warning("at most %d files may be open at once; raise the limit (ulimit -n) to %d", descriptors, FEW)
    with state_of(settings).locked():
        service = Server(settings, clock, reload, log_of, edit)
        site = site_of(service) if settings.web.enabled else None
        listeners = await _listeners(service, site, settings, descriptors)
        try:
            await service.start()
            if site is not None:
                asyncio.get_running_loop().run_in_executor(site.renderer, site.warm)
            log.info("watching %s; stop with Ctrl-C", counted(len(settings.monitors), "monitor", "en"))
            await _until(stop, again, service)
        finally:
            log.info("stopping: finishing checks in progress, sending what is queued; a second Ctrl-C or SIGTERM ends at once")
            await service.stop(asyncio.gather(*(one.close(_ANSWERS_SECONDS) for one in listeners)))


async def _until(stop: asyncio.Event, again: asyncio.Event, service: Server) -> None:
    while not stop.is_set():
        waits = [asyncio.create_task(event.wait()) for event in (stop, again)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if again.is_set():
            again.clear()
            service.ask_reload()


async def _listeners(service: Server, site: Site | None, settings: Desired, descriptors: int) -> list[Listener]:
    """Listen where the page is served, and where pings alone are taken. Raises VigieError that says why not."""
    web, wanted = settings.web, []
    if site is not None:
        hosts = Hosts(own_names(web.listen, web.public_url, web.hosts))
        pages = build(site, hosts)
        wanted.append((web.listen, "web.listen", "status page on http://%s:%d/", pages))
    if web.pings_listen is not None:
        wanted.append((web.pings_listen, "web.pings_listen", "pings alone on http://%s:%d/ping/", build_pings(service.heartbeats)))
    share = for_connections(descriptors, len(wanted))
    listeners: list[Listener] = []
    try:
        for listen, key, words, app in wanted:
            one = Listener(app, await _bound(listen, key), share)
            one.start()
            listeners.append(one)
            log.info(words, listen.rpartition(":")[0], one.port)
            if site is not None and key == "web.listen":
                await _invite(site)
    except VigieError:
        for one in listeners:
            await one.close(0)
        await service.runtime.store.close()
        raise
    return listeners


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
