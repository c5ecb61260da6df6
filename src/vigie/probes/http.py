"""The HTTP(S) probe: our own names and redirects, libcurl for each hop, every failure told apart."""

from typing import TYPE_CHECKING

from vigie.probes.kit.deps import ProbeDeps
from vigie.probes.kit.http.config import Config

if TYPE_CHECKING:
    from vigie.probes.kit.http.probe import HttpProbe

__all__ = ["Config", "build"]


def build(config: Config, deps: ProbeDeps) -> "HttpProbe":
    """The probe of one monitor; all of them share one transport."""
    # Imported here: a process that only reads the configuration, as the prober's parent does, needs no libcurl (7 MB).
    from vigie.probes.kit.http.probe import HttpProbe
    from vigie.probes.kit.http.transport import shared_transport

    return HttpProbe(config, deps, shared_transport(deps))
