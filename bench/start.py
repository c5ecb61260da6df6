"""`vigie check` from nothing: what a cron job or a person waits for."""

import subprocess
import time

from bench.ground import VIGIE, middle, needed, nginx, say

TURNS = 9


def main() -> None:
    """Wall time, since somebody waits for it."""
    if needed("nginx", "nginx-light") is None:
        return
    with nginx() as (url, _, _):
        walls = []
        for _ in range(TURNS):
            started = time.monotonic()
            subprocess.run([*VIGIE, "check", url], check=False, stdout=subprocess.DEVNULL)
            walls.append(time.monotonic() - started)
    say("vigie check, cold", middle(walls), "s", 0.25, f"wall, median of {TURNS}; least {min(walls):.2f}")


if __name__ == "__main__":
    main()
