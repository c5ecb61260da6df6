"""`/api/v1/status-pages`: those of the file and those that were made."""

from starlette.routing import BaseRoute

from vigie import resources as shown
from vigie.commands.definitions import Definition, DefinitionKind
from vigie.web.access import Role
from vigie.web.api._definitions import Defined
from vigie.web.api._kit import Call, Operation, cursor_of, key_in, operation, there
from vigie.web.api._shapes import faults, origin
from vigie.web.site import Site

_KIND = DefinitionKind.STATUS_PAGE


def routes(site: Site) -> list[BaseRoute]:
    """The operations on status pages."""

    async def pages(call: Call) -> shown.Items[shown.StatusPage]:
        asked: shown.Paged = call.query
        after = "" if asked.cursor is None else key_in(asked.cursor, "status-pages")
        known = sorted((f"{one.id}\n{0 if one.where else 1}", one) for one in await there(site.commands.definitions).definitions(_KIND))
        left = [(key, one) for key, one in known if key > after]
        page = left[: asked.limit]
        more = cursor_of("status-pages", page[-1][0]) if len(left) > len(page) else None
        return shown.Items(items=[await _shown(one) for _, one in page], next=more)

    listed = Operation(
        "listStatusPages",
        "GET",
        "/status-pages",
        "The status pages, by their ids.",
        Role.VIEWER,
        shown.Items[shown.StatusPage],
        shown.Paged,
    )
    defined = Defined(site, _KIND, "/status-pages", "status page", shown.StatusPage, _shown)
    return [operation(site, listed, pages), *defined.routes()]


async def _shown(one: Definition) -> shown.StatusPage:
    return shown.StatusPage(id=one.id, title=one.name, origin=origin(one), definition=dict(one.body), faults=faults(one.faults))
