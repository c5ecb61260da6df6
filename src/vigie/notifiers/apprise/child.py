"""What the channel's own process does: one notice, by Apprise, to each of the services; what became of it as JSON on its output.

In: `{urls, title, body, kind}`, or `urls` alone to ask which are unknown. Out: `{sent: [position], failed: [{position, words}],
unknown: [position]}`, the last for what is not the address of a service that this version of Apprise knows. Apprise says why something
failed in its log alone.
"""

import os
import sys
from typing import Any

import msgspec


def main() -> None:
    """Do it once."""
    sys.stdout.buffer.write(msgspec.json.encode(send(msgspec.json.decode(sys.stdin.buffer.read()))))
    sys.stdout.flush()
    os._exit(0)  # whatever a plug-in left running


def send(asked: dict[str, Any]) -> dict[str, Any]:
    """To every service, the ones after a failing one included."""
    import apprise

    sent: list[int] = []
    unknown: list[int] = []
    failed: list[dict[str, Any]] = []
    for position, url in enumerate(asked["urls"]):
        service = apprise.Apprise.instantiate(url, suppress_exceptions=True)
        if not isinstance(service, apprise.NotifyBase):
            unknown.append(position)
            continue
        if "body" not in asked:
            continue
        if "overflow=" not in url:
            service.overflow_mode = apprise.OverflowMode.TRUNCATE  # what a service has no room for must not have it refuse the rest
        alone = apprise.Apprise()
        alone.add(service)
        with apprise.LogCapture(level=apprise.logging.WARNING, fmt="%(message)s") as log:  # type: ignore[no-untyped-call]  # one of its few without types
            taken = alone.notify(body=asked["body"], title=asked["title"], notify_type=asked["kind"], body_format=apprise.NotifyFormat.TEXT)
            if taken:
                sent.append(position)
            else:
                failed.append({"position": position, "words": log.getvalue()[-2_000:]})
    return {"sent": sent, "failed": failed, "unknown": unknown}
