"""stub: written by the core helper"""
from dataclasses import dataclass
@dataclass(frozen=True, slots=True)
class MonitorState:
    monitor: str
