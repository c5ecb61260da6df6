"""A scripted Ollama on loopback, and a model that talks to it."""

from collections.abc import Callable
from typing import Any

import pytest

from vigie.clock import SystemClock
from vigie.llms import ModelDeps
from vigie.llms.ollama import Config, Ollama, build
from vigie.ports import Prompt
from vigie.testing.ollama_server import ScriptedOllama


@pytest.fixture
def model() -> Callable[..., Ollama]:
    """A model that asks the given server; keywords change its configuration."""

    def make(server: ScriptedOllama, **changed: Any) -> Ollama:
        return build(Config(url=server.url, **changed), ModelDeps(SystemClock()))

    return make


@pytest.fixture
def prompt() -> Prompt:
    """A short prompt with two facts."""
    user = (
        "Possible causes:\nbehind_proxy: the application behind the proxy\nunknown\nFacts:\n"
        "F1 Check of api.shop.example: HTTP 502 instead of 200-299 (http.status).\n"
        "F2 3 checks in a row failed since 14:02:05 UTC+1.\nAnswer:"
    )
    schema: dict[str, object] = {"type": "object", "properties": {"cause": {"type": "string", "enum": ["behind_proxy", "unknown"]}}}
    return Prompt("You write the alert that a technical team reads.", user, schema)
