"""The HTTP(S) probe: our own names and redirects, libcurl for each hop, every failure told apart."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vigie.ports import Problem
from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.http.config import Config
from vigie.probes.kit.http.config import problems as verified

if TYPE_CHECKING:
    from vigie.probes.kit.http.probe import HttpProbe

__all__ = ["Config", "build"]


def verify(config: Config) -> Iterator[Problem]:
    """Whether libcurl has the version of HTTP that is asked for."""
    return verified(config)


def build(config: Config, deps: ProbeDeps) -> "HttpProbe":
    """The probe of one monitor; all of them share one transport."""
    # Imported here: a process that only reads the configuration, as the prober's parent does, needs no libcurl (7 MB).
    from vigie.probes.kit.http.probe import HttpProbe
    from vigie.probes.kit.http.transport import shared_transport

    return HttpProbe(config, deps, shared_transport(deps))
