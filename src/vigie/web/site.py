"""Everything that the web is given: what it reads, what it has done, and whoever takes what comes in. Ports alone, no adapters."""

import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

from jinja2 import Environment

from vigie.commands.agents import AgentCommands
from vigie.commands.alerts import AlertCommands
from vigie.commands.channels import ChannelCommands
from vigie.commands.definitions import DefinitionCommands
from vigie.commands.maintenance import MaintenanceCommands
from vigie.commands.monitors import MonitorCommands
from vigie.commands.probing import ProbeCommands
from vigie.commands.status_pages import StatusPageCommands, Subscriptions
from vigie.commands.trials import TrialCommands
from vigie.ports import Accounts
from vigie.queries import HealthQueries, Queries
from vigie.queries.agents import AgentQueries
from vigie.queries.alerts import AlertQueries
from vigie.queries.board import Board
from vigie.queries.details import DetailQueries
from vigie.queries.fleet import FleetQueries
from vigie.queries.forms import FormQueries
from vigie.queries.history import HistoryQueries, StorageSize
from vigie.queries.live import Live
from vigie.queries.measures import MeasureQueries
from vigie.queries.setup import SetupQueries
from vigie.queries.status_pages import StatusPageQueries
from vigie.report.postmortem import Document
from vigie.report.render import RenderContext
from vigie.web.door import Door
from vigie.web.page import templates
from vigie.web.recent import Recent
from vigie.web.setting import AccessSetting

if TYPE_CHECKING:
    from vigie.web.agents.protocol import AgentService
    from vigie.web.buttons import ButtonService
    from vigie.web.feedback import FeedbackService
    from vigie.web.pings import PingReceiver
    from vigie.web.respond import ResponseService

Drafts = Callable[[str, str], Awaitable[Document]]  # the draft of an alert's post-incident report, in a language

_FIRST = (
    "layout",
    "parts",
    "overview",
    "overview_parts",
    "overview_head",
    "overview_rows",
    "overview_alerts",
    "alerts",
    "alert",
    "monitor",
)
_RENDERERS = 2  # pages are rendered side by side on so many threads, and no more: the loop that ingests and delivers goes first


def _renderer() -> Executor:
    return ThreadPoolExecutor(_RENDERERS, "vigie-page")


def _now() -> int:
    return time.time_ns() // 1_000_000


def _no_setting() -> RenderContext:
    return RenderContext("en", UTC)


@dataclass(slots=True)
class Commands:
    """What people can have done; each None until a running Vigie gives it."""

    alerts: AlertCommands | None = None
    monitors: MonitorCommands | None = None
    maintenance: MaintenanceCommands | None = None
    channels: ChannelCommands | None = None
    definitions: DefinitionCommands | None = None
    status_pages: StatusPageCommands | None = None
    probing: ProbeCommands | None = None
    trials: TrialCommands | None = None
    agents: AgentCommands | None = None


@dataclass(slots=True)
class Site:
    """What pages, API and feeds are made of. `setting` is the language and the zone of the configuration in force.

    `receiver` takes the pings of jobs, `feedback` what people say of analyses, `responses` and `presses` what they do by links and buttons.
    `reports` takes what agents in other places measure.
    `accounts` is who may log in (None: nobody can, and this machine alone may look), `door` what the way in remembers.
    """

    queries: Queries
    health: HealthQueries
    setting: Callable[[], RenderContext] = _no_setting
    history: HistoryQueries | None = None
    alerts: AlertQueries | None = None
    drafts: Drafts | None = None
    details: DetailQueries | None = None
    live: Live | None = None
    board: Board | None = None
    size: Recent[StorageSize] | None = None
    status_pages: StatusPageQueries | None = None
    subscriptions: Subscriptions | None = None
    measures: MeasureQueries | None = None
    setup: SetupQueries | None = None
    fleet: FleetQueries | None = None
    forms: FormQueries | None = None
    agents: AgentQueries | None = None
    commands: Commands = field(default_factory=Commands)
    receiver: "PingReceiver | None" = None
    feedback: "FeedbackService | None" = None
    responses: "ResponseService | None" = None
    presses: "ButtonService | None" = None
    reports: "AgentService | None" = None
    accounts: Accounts | None = None
    access: AccessSetting = field(default_factory=AccessSetting)
    door: Door = field(default_factory=Door)
    now: Callable[[], int] = _now
    pages: Environment = field(default_factory=templates)
    renderer: Executor = field(default_factory=_renderer)

    def warm(self) -> None:
        """Compile the templates of the pages that are looked at first, so that nobody waits for it (up to a seventh of a second each)."""
        for name in _FIRST:
            self.template(f"{name}.html.j2")

    def template(self, name: str) -> Any:
        """A template by its file's name."""
        return self.pages.get_template(name)
