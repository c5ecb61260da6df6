"""The ports: what the engine needs of the world, a file each. Adapters implement them; nobody inherits from them."""

from vigie.ports.accounts import Accounts
from vigie.ports.agent import Agent
from vigie.ports.archive import AlertFilter, AlertRow, Archive, StoredReport, TimelineEntry
from vigie.ports.bus import Batch, Bus, BusDispatch, FleetBus, Group, Position, RunMode
from vigie.ports.catalog import Asked, Catalog, StoredDefinition, StoredReview
from vigie.ports.clock import Clock
from vigie.ports.collector import Collector
from vigie.ports.fleet import AgentStatus, EnrolledAgent, Fleet, Lease, ServerStatus, ShardRun
from vigie.ports.history import History, HistorySize, ResultKey
from vigie.ports.inbox import Answer, Command, Inbox, PingUpdate
from vigie.ports.language_model import LanguageModel, Offered, Prompt, Pulled, Reply
from vigie.ports.ledger import Commit, Ledger, Snapshot
from vigie.ports.notifier import ButtonSource, Notifier, Press, Receipt
from vigie.ports.outbox import DROPPED, Delivery, OutboxCounts, OutboxRow, OutboxState, StoredNotice
from vigie.ports.probe import Probe, Problem, Traits
from vigie.ports.publications import Publications
from vigie.ports.spool import BatchHead, Identity, SpoolContents, SpoolFile
from vigie.ports.store import Store
from vigie.ports.uplink import Uplink

__all__ = [
    "DROPPED",
    "Accounts",
    "Agent",
    "AgentStatus",
    "AlertFilter",
    "AlertRow",
    "Answer",
    "Archive",
    "Asked",
    "Batch",
    "BatchHead",
    "Bus",
    "BusDispatch",
    "ButtonSource",
    "Catalog",
    "Clock",
    "Collector",
    "Command",
    "Commit",
    "Delivery",
    "EnrolledAgent",
    "Fleet",
    "FleetBus",
    "Group",
    "History",
    "HistorySize",
    "Identity",
    "Inbox",
    "LanguageModel",
    "Lease",
    "Ledger",
    "Notifier",
    "Offered",
    "OutboxCounts",
    "OutboxRow",
    "OutboxState",
    "PingUpdate",
    "Position",
    "Press",
    "Probe",
    "Problem",
    "Prompt",
    "Publications",
    "Pulled",
    "Receipt",
    "Reply",
    "ResultKey",
    "RunMode",
    "ServerStatus",
    "ShardRun",
    "Snapshot",
    "SpoolContents",
    "SpoolFile",
    "Store",
    "StoredDefinition",
    "StoredNotice",
    "StoredReport",
    "StoredReview",
    "TimelineEntry",
    "Traits",
    "Uplink",
]
