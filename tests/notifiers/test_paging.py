"""One key from open to close: whatever an alert goes through, a paging service has one incident of it, and none is left open."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.notifiers.servers.alertmanager import Alertmanager
from tests.notifiers.servers.opsgenie import Opsgenie
from tests.notifiers.servers.pagerduty import PagerDuty
from tests.notifiers.servers.pushover import Pushover
from tests.notifiers.servers.splunk import Splunk

from vigie.core.detection import Severity
from vigie.core.notification import NoticeReason
from vigie.notifiers.kit.paging import Action, action
from vigie.report.facts import Message
from vigie.testing.messages import sample
from vigie.testing.services import Service, service_rig

OPENINGS = ("opened", "flapping", "disclosed", "quiet_over")
NEWS = ("updated", "reminder", "escalated", "snooze_ended", "report", "acknowledged", "undeliverable")
ENDS = ("recovered", "closed")
APART = ("blind", "expiring", "renewed", "availability", "channel_failing", "channel_restored", "test")


class Paging(Service, Protocol):
    """A provider that keeps incidents."""


def left_open(service: Any) -> int:
    """How many incidents a provider believes to be open."""
    match service:
        case PagerDuty() | Opsgenie():
            return sum(one["state"] not in ("resolved", "closed") for one in service.alerts)
        case Splunk():
            return sum(states[-1] != "RECOVERY" for states in service.incidents.values())
        case Alertmanager():
            return len(service.firing(1_767_225_700 + 300.5))  # what is only to be known shows for five minutes
        case Pushover():
            return len(service.repeating)
    raise AssertionError(service)


def message(reason: str, thread: str = "shop-7", *, severity: Severity = Severity.OUTAGE, ended: bool = False) -> Message:
    found = sample(NoticeReason(reason), "en", severity=severity)
    own = found.thread if reason in APART else thread
    return replace(found, thread=own, key=f"{own}:{reason}", ended=ended)


SERVICES: Mapping[str, Any] = {
    "pagerduty": PagerDuty,
    "ruleset": lambda: PagerDuty("R" + "0123456789abcdef" * 2),
    "opsgenie": Opsgenie,
    "splunk": Splunk,
    "alertmanager": Alertmanager,
    "pushover": lambda: Pushover(emergency=True),
}


@pytest.mark.parametrize("name", SERVICES)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    opening=st.sampled_from(OPENINGS),
    news=st.lists(st.tuples(st.sampled_from((*NEWS, *APART)), st.sampled_from(list(Severity))), max_size=5),
    end=st.sampled_from(ENDS),
    late=st.lists(st.sampled_from(("report", "updated", "reminder", "acknowledged", "undeliverable")), max_size=2),
)
def test_an_alert_is_one_incident_and_none_is_left_open(
    name: str, opening: str, news: list[tuple[str, Severity]], end: str, late: list[str]
) -> None:
    async def story() -> None:
        service = SERVICES[name]()
        async with service_rig(service) as rig:
            channel = rig.notifier
            await channel.deliver(message(opening))
            assert left_open(service) == 1
            for reason, severity in news:
                await channel.deliver(message(reason, severity=severity))
            assert left_open(service) <= 1
            await channel.deliver(message(end, ended=True))
            for reason in late:
                await channel.deliver(message(reason, ended=True))
            assert left_open(service) == 0

    asyncio.run(story())


async def test_a_person_who_acknowledges_is_seen_there() -> None:
    for service, state in ((PagerDuty(), "acknowledged"), (Opsgenie(), "acknowledged")):
        async with service_rig(service) as rig:
            await rig.notifier.deliver(message("opened"))
            await rig.notifier.deliver(message("acknowledged"))
        assert [one["state"] for one in service.alerts] == [state]
    splunk, pushover = Splunk(), Pushover(emergency=True)
    async with service_rig(splunk) as rig, service_rig(pushover) as other:
        for notifier in (rig.notifier, other.notifier):
            await notifier.deliver(message("opened"))
        assert pushover.repeating == {"vigie-shop-7"}
        for notifier in (rig.notifier, other.notifier):
            await notifier.deliver(message("acknowledged"))
    assert splunk.incidents == {"vigie-shop-7": ["open", "ACKNOWLEDGEMENT"]}
    assert not pushover.repeating


async def test_news_stand_in_the_open_incident_and_never_in_a_second_one() -> None:
    service = PagerDuty()
    async with service_rig(service) as rig:
        for reason in ("opened", "updated", "reminder", "report"):
            await rig.notifier.deliver(message(reason))
    assert len(service.alerts) == 1
    assert len(service.alerts[0]["log"]) == 4


async def test_a_severity_that_rises_leaves_no_alert_of_the_lower_one() -> None:
    service = Alertmanager()
    async with service_rig(service) as rig:
        await rig.notifier.deliver(message("opened", severity=Severity.DEGRADATION))
        await rig.notifier.deliver(message("updated", severity=Severity.OUTAGE))
    assert [labels["severity"] for labels in service.firing(1_767_225_700 + 86_400)] == ["critical"]
    assert service.firing(1_767_225_700 + 8 * 86_400) == [], "what Vigie never ends, ends by itself"


@pytest.mark.parametrize("reason", NoticeReason)
def test_what_is_over_opens_nothing_but_an_opening(reason: NoticeReason) -> None:
    found = action(message(reason.value, ended=True))
    assert found is not Action.OPEN or reason.value in (*OPENINGS, "escalated", "stalled", "agent_silent")
