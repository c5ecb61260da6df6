"""One file a channel, found by its name: what runs against it. See `rigs_of`."""

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from vigie.testing.notifier_rigs import Rig

Opener = Callable[[Path], AbstractAsyncContextManager[Rig]]


def rigs_of(kind: str) -> Mapping[str, Opener]:
    """The ways in which a channel reaches its provider, by name (`RIGS` of its file here): each opens a Rig in a folder of its own.

    A channel of HTTP has a Service (vigie/testing/services.py) for each way: `RIGS = {"webhook": lambda folder: service_rig(Hook())}`.
    """
    name = f"{__name__}.{kind}"
    if importlib.util.find_spec(name) is None:
        raise AssertionError(f"tests/notifiers/servers/{kind}.py is missing: the provider of {kind} as its documentation describes it")
    found: Mapping[str, Opener] = importlib.import_module(name).RIGS
    return found
