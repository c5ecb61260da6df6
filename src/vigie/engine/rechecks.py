"""How often `vigie once` checks a service again at the quick pace, before it leaves the rest to the next run."""

from vigie.core.detection import DetectionPolicy

_SPAN_MS, _MAX = 120_000, 200


def rechecks(detection: DetectionPolicy) -> int:
    """Enough for a failure that is confirmed, or a recovery, and then no longer: a flapping service must not hold cron up.

    Nor may a span over two minutes, which is judged over several runs.
    """
    spans = [one for one in (detection.confirm_ms, detection.recover_ms) if one <= _SPAN_MS]
    over = max(spans, default=0) // max(detection.confirm_every_ms, 1)
    return max(detection.confirm, detection.recover, min(over, _MAX)) + 1
