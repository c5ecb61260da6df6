"""Every route × everybody: the rule of each is written down in `rules.txt`, and each is refused to all others.

A new route fails here until its line is written: `python -m tests.web.auth.test_rules` prints the table as it is.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response
from starlette.routing import Route
from tests.web.auth._door import HTML, Town, log_in

from vigie.accounts import Role
from vigie.clock import SystemClock
from vigie.config import load
from vigie.server import Server
from vigie.serving import site_of
from vigie.web import app as application
from vigie.web.access import GuardedRoute, Public
from vigie.web.app import routes_of

TABLE = Path(__file__).with_name("rules.txt")


def all_routes(folder: Path) -> list[GuardedRoute]:
    """The routes of what `vigie serve` builds, with everything switched on."""
    (folder / "vigie.yaml").write_text(
        "web: {public_url: 'https://vigie.example', oidc: {issuer: 'https://id.example', client_id: v, client_secret: s, default_role: viewer}}\n"
        "notify: {chat: {type: webhook, url: 'http://127.0.0.1:9/'}}\n"
        "monitors: [{url: 'http://127.0.0.1:9/'}, {name: job, type: heartbeat, token: abcdefghijklmnopqrstuvwx, period: 1h}]\n"
    )
    settings = load(folder / "vigie.yaml", {}, folder)
    server = Server(settings, SystemClock(), lambda: settings)
    return [one for one in routes_of(site_of(server)) if isinstance(one, GuardedRoute)]


def rule_of(one: GuardedRoute) -> str:
    return one.needs.name.lower()


def lines_of(routes: list[GuardedRoute]) -> list[str]:
    return sorted(f"{method:6} {one.path} {rule_of(one)}" for one in routes for method in sorted(one.methods or ()) if method != "HEAD")


async def test_every_route_has_the_rule_that_is_written_down(tmp_path: Path) -> None:
    routes = all_routes(tmp_path)
    written, found = set(TABLE.read_text().splitlines()), set(lines_of(routes))
    assert found - written == set(), "write them into rules.txt, once you are sure who may call them"
    assert written - found == set(), "these routes are gone"


async def test_a_route_without_a_rule_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    async def anything(_: Any) -> Response:
        return Response()

    monkeypatch.setattr("vigie.web.static_files.routes", lambda: [Route("/bare", anything)])
    with pytest.raises(TypeError, match="has no rule"):
        list(routes_of(Town().site))


def concrete(path: str) -> str:
    """A path with something for each of its parts."""
    parts = []
    for part in path.split("/"):
        name = part.strip("{}").partition(":")[2] if part.startswith("{") else ""
        parts.append(
            ("1" if name in ("int", "float") else "x") + part.rpartition("}")[2]
            if part.startswith("{")
            else part.replace("{", "").replace("}", "")
        )
    return "/".join(parts)


def answers(expected: bool, known: bool) -> set[int]:
    return {204} if expected else {403} if known else {401}


async def test_everybody_gets_what_the_rule_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anonymous, every role by session, every scope by token, on every method of every route."""
    monkeypatch.setattr("vigie.web.auth.passwords._verify", lambda kept, password: True)
    town, routes = Town(), all_routes(tmp_path)

    async def reached(scope: Any, receive: Any, send: Any) -> None:
        await Response(status_code=204)(scope, receive, send)

    own = next(one for one in routes_of(town.site) if isinstance(one, GuardedRoute) and one.name == "login")
    for one in routes:
        one.app = reached
    monkeypatch.setattr(application, "routes_of", lambda _: [own_login(own), *routes])
    town.app = application.build(town.site)
    people = [*Role]
    for role in people:
        await town.user(role.name.lower(), role)
    checked = 0
    async with town.client() as client:
        for who in (None, *people):
            client.cookies.clear()
            if who is not None:
                assert (await log_in(client, who.name.lower())).status_code == 303
            checked += await _walk(client, routes, who, {})
        client.cookies.clear()
        for scope in people:
            checked += await _walk(client, routes, scope, {"Authorization": f"Bearer {await town.token(scope)}"})
    assert checked == sum(len(one.methods or ()) for one in routes) * (1 + 2 * len(people))


def own_login(one: GuardedRoute) -> GuardedRoute:
    """The real login under a name of its own."""
    from vigie.web.access import route

    return route("/login", one.endpoint, needs=Public.LOGIN, methods=["POST"], name="really_login")


async def _walk(client: Any, routes: list[GuardedRoute], who: Role | None, headers: dict[str, str]) -> int:
    number = 0
    for one, method in _each(routes):
        number += 1
        if one.path == "/login" and method == "POST":
            continue
        answer = await client.request(method, concrete(one.path), headers=headers)
        expected = isinstance(one.needs, Public) or (who is not None and who >= one.needs)
        assert answer.status_code in answers(expected, who is not None), (who, method, one.path, answer.status_code)
        if not expected and who is None and method in ("GET", "HEAD"):
            page = await client.request(method, concrete(one.path), headers=HTML)
            wanted = 401 if one.path.startswith("/api/") else 303
            assert page.status_code == wanted, (method, one.path, page.status_code)
    return number


def _each(routes: list[GuardedRoute]) -> Iterator[tuple[GuardedRoute, str]]:
    for one in routes:
        for method in sorted(one.methods or ()):
            yield one, method


async def main() -> None:
    """Print the table."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        print("\n".join(lines_of(all_routes(Path(folder)))))  # noqa: T201


if __name__ == "__main__":
    import asyncio

    asyncio.run(main())
