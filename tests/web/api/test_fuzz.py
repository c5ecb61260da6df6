"""The API fuzzed by its own description, over a real store: no status that it does not describe, no body that breaks its schema, no 5xx."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance
from tests.web.api._server import running

from vigie.web.api.openapi import document, operations

_OPERATIONS = sorted(one.name for one in operations() if one.name not in ("streamEvents", "testChannel", "checkMonitor"))
_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


class Site:
    """A server on a loop of its own thread, called by tests that are not asynchronous."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._loop = folder, asyncio.new_event_loop()
        self._ready, self._end = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()
        assert self._ready.wait(30)

    async def _run(self) -> None:
        async with running(self._folder) as self._server:
            self._ready.set()
            await self._end.wait()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)
        self._loop.close()

    def __call__(self, call: Any) -> Any:
        """What the application answers to a case of schemathesis."""
        return asyncio.run_coroutine_threadsafe(self._asked(call), self._loop).result(30)

    async def _asked(self, kwargs: dict[str, Any]) -> Any:
        async with self._server.client() as client:
            return await client.request(**kwargs)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = Site(tmp_path_factory.mktemp("fuzz"))
    yield made
    made.close()


@pytest.mark.parametrize("name", _OPERATIONS)
@pytest.mark.timeout(120)
def test_no_request_breaks_the_description(name: str, site: Site) -> None:
    schema = schemathesis.openapi.from_dict(document())
    operation = schema.find_operation_by_id(name)

    @hypothesis.seed(11)
    @hypothesis.settings(
        max_examples=8, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @hypothesis.given(case=operation.as_strategy())
    def fuzzed(case: Any) -> None:
        kwargs = case.as_transport_kwargs(base_url="http://localhost:8080")
        kwargs.pop("cookies", None)
        answer = site(kwargs)
        case.validate_response(answer, checks=_CHECKS)

    fuzzed()
