"""What SQL cannot read of migration 0005, because it lies in blobs: the part of a monitor's state that alerts have from now on.

Blobs are rewritten as plain maps, never by the classes of the program: those change later, and this migration does not.
"""

from typing import Any

import msgspec

from vigie.stores.sqlite.db import Db

_VERSION = b"\1"
_SEVERITIES = ("outage", "degradation")
_OPEN = ("open", "recovering")
_PHASES = {(True, True): "acked", (True, False): "firing", (False, True): "withheld_acked", (False, False): "withheld"}


def take(db: Db) -> None:
    """Inside the migration's transaction."""
    acked: dict[str, str | None] = dict(db.fetch("SELECT id, acked_by FROM incident WHERE closed_at IS NULL"))
    for monitor, body in db.fetch("SELECT monitor, body FROM monitor_state"):
        old: dict[str, Any] = msgspec.msgpack.decode(body[1:])
        open_ = [(severity, track) for severity in _SEVERITIES if (track := old.get(severity) or {}).get("phase") in _OPEN]
        for severity, track in open_:
            # The state woke at the earliest of its tracks; waking early is harmless, never waking is not.
            wake_at = old.get("wake_at") if len(open_) == 1 or not track.get("told") else track.get("remind_at")
            alert = _alert(monitor, severity, track, acked.get(track["incident"]), wake_at)
            db.execute("INSERT OR REPLACE INTO alert VALUES (?, 1, ?)", (alert["id"], _encoded(alert)))
        db.execute("UPDATE monitor_state SET body = ? WHERE monitor = ?", (_encoded(_detection(monitor, old)), monitor))
    _name_attempts(db)


def _encoded(record: dict[str, Any]) -> bytes:
    return _VERSION + msgspec.msgpack.encode(record)


def _alert(monitor: str, severity: str, track: dict[str, Any], acked_by: str | None, wake_at: int | None) -> dict[str, Any]:
    return {
        "id": track["incident"],
        "severity": severity,
        "monitor": monitor,
        "subject": "monitor",
        "phase": _PHASES[bool(track.get("told")), bool(track.get("acked"))],
        "members": [{"incident": track["incident"], "monitor": monitor, "open": True}],
        "acked_by": acked_by,
        "reminders": track.get("reminders", 0),
        "remind_at": track.get("remind_at"),
        "wake_at": wake_at,
    }


def _detection(monitor: str, old: dict[str, Any]) -> dict[str, Any]:
    """The newest result becomes the view of the one location; its run and sequence were one number, of 32 bits each."""
    order, status, at = old.get("order", 0), old.get("status"), old.get("at")
    view = {"location": "local", "run": order >> 32, "sequence": order & 0xFFFFFFFF, "at": at, "status": status, "cause": old.get("cause")}
    tracks: dict[str, Any] = {
        severity: {name: track[name] for name in ("phase", "count", "since", "incident") if name in track}
        for severity in _SEVERITIES
        for track in (old.get(severity) or {},)
    }
    known: dict[str, Any] = {name: old[name] for name in ("ordinal", "status", "cause", "at") if name in old}
    return {"monitor": monitor, **known, **tracks, "views": [] if status is None or at is None or not order else [view]}


def _name_attempts(db: Db) -> None:
    """Why attempts were made whose notice is not in the outbox any more, by their keys: nobody takes a key apart after this.

    `<incident>:<reason>[:n]:<channel>`, with `:instead` before the channel of a failover;
    `<key of what failed>:buried:<channel>` (words: stored keys).
    """
    for number, key, alert, channel in db.fetch("SELECT id, key, alert, channel FROM delivery WHERE key NOT IN (SELECT key FROM outbox)"):
        rest = key.removeprefix(f"{alert}:").removesuffix(f":{channel}")
        reason, *more = rest.split(":")
        count = int(more.pop(0)) if more and more[0].isdecimal() else 0
        failover_for = "?" if more[-1:] == ["instead"] else ""
        if more[-1:] == ["buried"]:  # words: part of stored keys
            reason, failover_for = "undeliverable", ":".join(more[:-1]) or "?"
        db.execute("UPDATE delivery SET reason = ?, number = ?, failover_for = ? WHERE id = ?", (reason, count, failover_for, number))
