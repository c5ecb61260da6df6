"""What is gathered for a post-incident report: how available the service was is what `vigie incidents uptime` says too."""

from pathlib import Path

import pytest

from vigie.config import load
from vigie.core.detection import Severity
from vigie.core.model import Cause, Incident, Status
from vigie.observation.visibility import Blind
from vigie.ports import Commit
from vigie.records import postmortem
from vigie.testing import VirtualClock
from vigie.testing.fakes import fake_result
from vigie.testing.memory import MemoryStore

pytestmark = pytest.mark.virtual
HOUR = 3_600_000


@pytest.mark.parametrize(("blind_hours", "share"), [(0, "90.000% (observed for 10 h 00 min)"), (5, "80.000% (observed for 5 h 00 min)")])
async def test_what_vigie_did_not_see_counts_in_no_availability(tmp_path: Path, blind_hours: int, share: str) -> None:
    """Watched for ten hours, an hour of them down."""
    clock, store = VirtualClock(), MemoryStore()
    now = clock.now()
    start = now - 10 * HOUR
    file = tmp_path / "vigie.yaml"
    file.write_text("timezone: UTC\nmonitors: [{id: shop, url: 'https://shop.example/'}]\n")
    incident = Incident("shop-1", "shop", Severity.OUTAGE, Cause.TCP_REFUSED, now - HOUR, now - HOUR)
    spans = (Blind(1, start, Cause.PROBE_NETWORK, start + blind_hours * HOUR),) if blind_hours else ()
    await store.ledger.commit(Commit(incidents=(incident,), details=(fake_result("shop", Status.UP, start),), blind=spans))

    found = await postmortem(load(file, {}, tmp_path), store, clock, "shop-1", "en")

    impact = next(one for one in found.sections if one.title == "Impact in numbers")
    assert share in [row[1] for row in impact.rows if row[0] == "Availability over 30 days"]
