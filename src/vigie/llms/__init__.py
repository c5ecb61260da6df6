"""Language models: one file per provider, found by its name."""

from dataclasses import dataclass

from vigie.ports import Clock


@dataclass(frozen=True, slots=True)
class ModelDeps:
    """What providers are built with."""

    clock: Clock
