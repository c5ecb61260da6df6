"""Where a check ends at another host than the monitor's, its result says so: the addresses in it are not the monitor's."""

import pytest

from vigie.testing.servers import page, serving

from .looking import Deps, ask
from .test_redirects import moving


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("/end", None),
        ("http://127.0.0.1:{port}/end", None),
        ("http://localhost:{port}/", "localhost"),
        ("http://localhost:1/", "localhost"),
    ],
)
async def test_the_host_of_the_addresses_is_named_where_it_is_another(make_deps: Deps, location: str, host: str | None) -> None:
    async with serving(page(b"here")) as port:
        result = await ask(make_deps, moving(lambda _: location.replace("{port}", str(port))))
    assert result.host == host
    assert result.address in ("127.0.0.1", "::1")
