"""Where state is kept: one package or file per kind of database, each with `Config` and `build(config, deps)`."""

from dataclasses import dataclass

from vigie.ports import Clock


@dataclass(frozen=True, slots=True)
class StoreDeps:
    """What a store is given. `threads=False` has it work in the caller's thread: for short-lived programs, not for `serve`."""

    clock: Clock
    threads: bool = True
