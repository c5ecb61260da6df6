"""A site of which one list is known."""

from typing import Any

from vigie.web.site import Site


def site_of(monitors: Any) -> Site:
    """One whose queries know monitors alone, and that has nothing else."""

    class _Queries:
        def __init__(self) -> None:
            self.monitors = monitors

    nobody: Any = None
    queries: Any = _Queries()
    return Site(queries, nobody)
