"""How the suite runs: coroutine tests on a fresh loop, on virtual time when marked `virtual`; what a test needs of the system."""

import asyncio
import inspect

import pytest
from hypothesis import settings
from tests._packages import require

from vigie.testing import VirtualLoop

settings.register_profile("vigie", deadline=None)  # how long an example takes is the machine's business
settings.load_profile("vigie")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture: a test that needs a package of the system is skipped without it, or fails where all have to be there."""
    for marker in item.iter_markers("needs"):
        for package in marker.args:
            require(package)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run `async def test_…` with asyncio's own runner."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    factory = VirtualLoop if pyfuncitem.get_closest_marker("virtual") else None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names if name in pyfuncitem.funcargs}
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(pyfuncitem.obj(**arguments))
    return True
