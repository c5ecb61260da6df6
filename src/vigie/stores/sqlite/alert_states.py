"""What the migration to alerts (0005) takes out of blobs, which SQL cannot read: the part of a monitor's state that alerts have now."""

from typing import Any

import msgspec

from vigie.core.alert import AlertState, Member, Phase
from vigie.core.detection import Severity
from vigie.core.incident import DetectionState
from vigie.core.model import LOCAL
from vigie.core.quorum import View
from vigie.stores.sqlite.db import Db
from vigie.stores.sqlite.records import decode, encode

_OPEN = ("open", "recovering")
_PHASES = {
    (True, True): Phase.ACKED,
    (True, False): Phase.FIRING,
    (False, True): Phase.WITHHELD_ACKED,
    (False, False): Phase.WITHHELD,
}


def take(db: Db) -> None:
    """Inside the migration's transaction: an alert for each open incident, and the newest result as the view of its location."""
    acked: dict[str, str | None] = dict(db.fetch("SELECT id, acked_by FROM incident WHERE closed_at IS NULL"))
    for monitor, body in db.fetch("SELECT monitor, body FROM monitor_state"):
        old: dict[str, Any] = msgspec.msgpack.decode(body[1:])
        tracks = [(severity, old.get(severity) or {}) for severity in Severity]
        open_ = [(severity, track) for severity, track in tracks if track.get("phase") in _OPEN]
        for severity, track in open_:
            wake_at = old.get("wake_at") if len(open_) == 1 or not track.get("told") else track.get("remind_at")
            alert = _alert(monitor, severity, track, acked.get(track["incident"]), wake_at)
            db.execute("INSERT OR REPLACE INTO alert VALUES (?, 1, ?)", (alert.id, encode(alert)))
        state = _with_view(decode(body, DetectionState), old)
        db.execute("UPDATE monitor_state SET body = ? WHERE monitor = ?", (encode(state), monitor))


def _alert(monitor: str, severity: Severity, track: dict[str, Any], acked_by: str | None, wake_at: int | None) -> AlertState:
    phase = _PHASES[bool(track.get("told")), bool(track.get("acked"))]
    return AlertState(
        track["incident"],
        severity,
        monitor,
        phase=phase,
        members=(Member(track["incident"], monitor),),
        acked_by=acked_by,
        reminders=track.get("reminders", 0),
        remind_at=track.get("remind_at"),
        wake_at=wake_at,
    )


def _with_view(state: DetectionState, old: dict[str, Any]) -> DetectionState:
    """Results were counted in one number of 32 bits each for run and sequence."""
    order = old.get("order", 0)
    if state.status is None or state.at is None or not order:
        return state
    view = View(LOCAL, order >> 32, order & 0xFFFFFFFF, state.at, state.status, state.cause)
    return DetectionState(state.monitor, state.ordinal, state.status, state.cause, state.at, state.outage, state.degradation, (view,))
