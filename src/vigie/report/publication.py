"""What people publish on status pages, and who reads it by mail or webhook: records as the store keeps them."""

from dataclasses import dataclass, field
from enum import StrEnum


class PostKind(StrEnum):
    """What a post is about; stored by value."""

    INCIDENT = "incident"
    MAINTENANCE = "maintenance"


class Stage(StrEnum):
    """How far it is, as its last update says; stored by value."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    PLANNED = "planned"
    UNDER_WAY = "under_way"
    DONE = "done"


STAGES = {
    PostKind.INCIDENT: (Stage.INVESTIGATING, Stage.IDENTIFIED, Stage.MONITORING, Stage.RESOLVED),
    PostKind.MAINTENANCE: (Stage.PLANNED, Stage.UNDER_WAY, Stage.DONE),
}
LAST_STAGES = (Stage.RESOLVED, Stage.DONE)


class Impact(StrEnum):
    """What it means for the services that a post names; stored by value."""

    DOWN = "down"
    DEGRADED = "degraded"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Update:
    """What somebody wrote, epoch ms. `by` is never shown to the public."""

    number: int
    at: int
    stage: Stage
    text: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """An incident or planned work as people tell of it: updates oldest first, at least one.

    `monitors` are ids of the page's. `start` and `until` are epoch ms; of planned work its window. `alert` is what it was drafted from:
    like ids of monitors and names of writers it is never shown to the public.
    """

    id: str
    page: str
    kind: PostKind
    title: str
    monitors: tuple[str, ...]
    impact: Impact
    start: int
    updates: tuple[Update, ...]
    until: int | None = None
    next_update: int | None = None
    alert: str = ""

    @property
    def stage(self) -> Stage:
        """How far it is."""
        return self.updates[-1].stage

    @property
    def open(self) -> bool:
        """Whether it is not over."""
        return self.stage not in LAST_STAGES

    @property
    def ended(self) -> int | None:
        """When it was over, as far as people said."""
        return None if self.open else self.until if self.kind is PostKind.INCIDENT and self.until is not None else self.updates[-1].at

    @property
    def changed(self) -> int:
        """When somebody last wrote."""
        return self.updates[-1].at


class SubscriberKind(StrEnum):
    """How somebody reads on; stored by value."""

    MAIL = "mail"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Somebody who follows a page. Until `confirmed_at`, epoch ms, they are sent one question alone. `secret` signs what a webhook gets."""

    id: str
    page: str
    kind: SubscriberKind
    address: str
    created_at: int
    confirmed_at: int | None = None
    secret: str = field(default="", repr=False)


class LetterKind(StrEnum):
    """What is sent; stored by value."""

    CONFIRM = "confirm"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Letter:
    """Something that must be sent to one subscriber: the words are put together when it is. Instants are epoch ms.

    `post` and `update` say of which update it tells. `number` is given by the store.
    """

    page: str
    subscriber: str
    kind: LetterKind
    at: int
    post: str = ""
    update: int = 0
    attempts: int = 0
    number: int = 0

    @property
    def key(self) -> str:
        """The same however often it is sent."""
        return "/".join((self.page, self.subscriber, self.kind, self.post, str(self.update)))
