"""Takes a monitor's secrets out of its results, whatever a service repeats of them and whichever probe forgot to."""

from dataclasses import dataclass

from vigie.core.model import CheckResult
from vigie.net import Secrets
from vigie.ports import Probe


@dataclass(frozen=True, slots=True)
class MaskedProbe:
    """A probe whose results hold none of `secrets`."""

    probe: Probe
    secrets: Secrets

    async def check(self, timeout_ms: int) -> CheckResult:
        """Check once."""
        result: CheckResult = self.secrets.mask_all(await self.probe.check(timeout_ms))
        return result
