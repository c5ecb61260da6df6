"""Is it us? Whether Vigie's own way out works, by several votes and never by one, asked only when a check failed.

Votes against: a control target that is silent, a control name that does not resolve, a gateway that is not there, another service
outside that cannot be reached either. Votes for, one of which acquits: a control target that answers (a refusal is an answer), a service
outside that was reached meanwhile. A control target that was silent while all was well (a firewall of ours) has no vote.
"""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from vigie.core.model import Cause
from vigie.net.closing import hang_up
from vigie.net.gateway import default_gateways, is_there
from vigie.net.internal import NameResolver
from vigie.net.names import is_localhost
from vigie.net.resolver import split_server

_KEEP_SECONDS = 10.0
_KEEP_WORKING_SECONDS = 1.0  # that the link worked a moment ago says nothing of a check that began since: it may break again at once
_VOTE_MS, _MIN_VOTE_MS, _MARGIN_MS = 2_000, 300, 50
_ENOUGH = 2  # votes against
_ELSEWHERE = (("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))  # RFC 5737, RFC 3849: nothing is sent there
_OTHERS_SECONDS = 15.0
_FAMILY_SECONDS = 600.0
_FIRST_LEARN_SECONDS, _LEARN_SECONDS = 60.0, 1_800.0


def is_private(address: str) -> bool:
    """Whether an address is on this machine or a private network: no way out is needed to reach it."""
    try:
        return not ipaddress.ip_address(address.strip("[]")).is_global
    except ValueError:
        return is_localhost(address) or address.lower().endswith((".local", ".internal"))


def is_offline() -> bool:
    """Whether no route leads out, in either family; asks the kernel, sends nothing."""
    return not any(has_route(address, family) for address, family in _ELSEWHERE)


def has_route(address: str, family: socket.AddressFamily) -> bool:
    """Whether this machine has a route to an address; asks the kernel, sends nothing."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
    except OSError:
        return False
    return True


class Vote(StrEnum):
    """What came of a control target."""

    REACHED = "reached"
    SILENT = "silent"
    UNRESOLVED = "unresolved"


def verdict(controls: Mapping[str, Vote], *, gateway: bool | None, second: bool | None, others: bool) -> Cause | None:
    """What the votes come to.

    `controls` are those of the targets that have one; `gateway` and `second` (the second resolver, asked for a control name) are None
    where nobody was asked or it cannot be told; `others` says that other services outside fail too.
    """
    names = [vote for target, vote in controls.items() if not is_literal(target)]
    nameless = bool(names) and all(vote is Vote.UNRESOLVED for vote in names) and (len(names) >= _ENOUGH or second is True)
    if Vote.REACHED in controls.values() or second:
        return Cause.PROBE_RESOLVER if nameless else None
    against = len(controls) + (gateway is False) + others
    return Cause.PROBE_NETWORK if against >= _ENOUGH else None


class Link:
    """Vigie's own link. `targets` are `host:port`, `second` a resolver beside the system's. One for all probes of a process."""

    def __init__(
        self,
        resolver: NameResolver,
        targets: Sequence[str],
        second: str | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        gateways: Callable[[], Sequence[str]] = default_gateways,
    ) -> None:
        self._resolver, self._targets = resolver, tuple(targets)
        self._second = second if second is not None and _is_server(second) else None
        self._monotonic, self._gateways = monotonic, gateways
        self._kept: tuple[float, Cause | None] | None = None
        self._asking: asyncio.Task[Cause | None] | None = None
        self._seen_at = float("-inf")
        self._families: dict[int, tuple[float, bool]] = {}
        self._missed: dict[str, float] = {}
        self._learning: asyncio.Task[None] | None = None
        self._learn_at = monotonic() + _FIRST_LEARN_SECONDS
        self._silent = self._mute = frozenset[str]()  # when last asked while all was well; and the time before, too

    @property
    def has_targets(self) -> bool:
        """Whether control targets are configured: without any, hardly anything can acquit the link."""
        return bool(self._targets)

    def saw(self, address: str) -> None:
        """A service outside was reached just now. Now and then the control targets are asked then, too."""
        self._seen_at = self._monotonic()
        self._families[6 if ":" in address else 4] = (self._seen_at, True)
        if self._seen_at >= self._learn_at and self._targets:
            self._learn_at = self._seen_at + _LEARN_SECONDS
            self._learning = asyncio.create_task(self._learn())

    def missed(self, place: str) -> None:
        """A service outside could not be reached just now."""
        if len(self._missed) > 100:
            self._missed.clear()
        self._missed[place] = self._monotonic()

    async def fault(self, place: str = "", budget_ms: int = _VOTE_MS) -> Cause | None:
        """`probe.network`, `probe.resolver`, or None when the link works or nobody can tell within the budget.

        Kept for 10 s; that it works for one second.

        `place` is the service under suspicion: what is known of it says nothing about the link.
        """
        if self._kept is not None and self._kept[0] >= self._monotonic() and not (self._kept[1] and self._seen_since_kept()):
            return self._kept[1]
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(place, budget_ms))
        try:
            async with asyncio.timeout(budget_ms / 1000):
                return await asyncio.shield(self._asking)
        except TimeoutError:
            return None

    def prepare(self, place: str, budget_ms: int) -> None:
        """Begin to ask: a check is about to fail, and its deadline leaves no time afterwards."""
        if (self._kept is None or self._kept[0] < self._monotonic() + budget_ms / 1000) and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._ask(place, budget_ms))

    async def reaches(self, version: int) -> bool:
        """Whether this machine gets out by a family of addresses (4 or 6): something of it was reached lately, or a control target is."""
        at, works = self._families.get(version, (float("-inf"), False))
        if self._monotonic() - at > (_FAMILY_SECONDS if works else _KEEP_SECONDS):
            names = [target.rpartition(":") for target in self._targets]
            works = any(await asyncio.gather(*(self._reached_by(version, host, int(port)) for host, _, port in names)))
            self._families[version] = (self._monotonic(), works)
        return works

    async def _reached_by(self, version: int, host: str, port: int) -> bool:
        try:
            async with asyncio.timeout(_VOTE_MS / 1000):
                answer = await self._resolver.resolve(host, family=version, timeout_ms=_VOTE_MS)
                return await _any_answers(answer.addresses, port)
        except TimeoutError:
            return False

    async def other_answer(self, host: str, budget_ms: int = _VOTE_MS) -> bool:
        """Whether the second resolver knows an address of a name that the system's did not give."""
        if self._second is None:
            return False
        return bool((await self._resolver.resolve(host, timeout_ms=budget_ms, server=self._second)).addresses)

    def close(self) -> None:
        """Ask no more."""
        for task in (self._asking, self._learning):
            if task is not None:
                task.cancel()

    async def _learn(self) -> None:
        """A target that is silent twice while all is well has no vote later."""
        votes = await self._votes(self._targets, _VOTE_MS)
        silent = frozenset(target for target, vote in votes.items() if vote is Vote.SILENT)
        self._silent, self._mute = silent, silent & self._silent

    def _seen_since_kept(self) -> bool:
        return self._kept is not None and self._seen_at > self._kept[0] - _KEEP_SECONDS

    async def _ask(self, place: str, budget_ms: int) -> Cause | None:
        vote_ms = min(max(budget_ms - _MARGIN_MS, _MIN_VOTE_MS), _VOTE_MS)
        found = Cause.PROBE_NETWORK if is_offline() else await self._judged(place, vote_ms)
        self._kept = (self._monotonic() + (_KEEP_WORKING_SECONDS if found is None else _KEEP_SECONDS), found)
        return found

    async def _judged(self, place: str, vote_ms: int) -> Cause | None:
        started = self._monotonic()
        voters = tuple(target for target in self._targets if target not in self._mute)
        asked = self._votes(voters, vote_ms), self._gateway(vote_ms), self._second_answers(vote_ms)
        votes, gateway, second = await asyncio.gather(*asked)
        if self._seen_at >= started:
            return None
        others = any(at > started - _OTHERS_SECONDS for other, at in self._missed.items() if other != place)
        return verdict(votes, gateway=gateway, second=second, others=others)

    async def _votes(self, targets: Sequence[str], vote_ms: int) -> dict[str, Vote]:
        return dict(zip(targets, await asyncio.gather(*(self._vote(target, vote_ms) for target in targets)), strict=True))

    async def _vote(self, target: str, vote_ms: int) -> Vote:
        host, _, port = target.rpartition(":")
        found = Vote.UNRESOLVED
        try:
            async with asyncio.timeout(vote_ms / 1000):
                answer = await self._resolver.resolve(host, timeout_ms=vote_ms)
                if not answer.addresses:
                    return found
                found = Vote.SILENT
                if await _any_answers(answer.addresses, int(port)):
                    found = Vote.REACHED
        except TimeoutError:
            pass
        return found

    async def _gateway(self, vote_ms: int) -> bool | None:
        """Whether any gateway is there."""
        found = await asyncio.gather(*(is_there(address, vote_ms) for address in self._gateways()))
        return True if True in found else False if False in found else None

    async def _second_answers(self, vote_ms: int) -> bool | None:
        """Whether the second resolver answers when a control name is asked for; one on our own network may do so from memory."""
        names = [target.rpartition(":")[0] for target in self._targets if not is_literal(target)]
        if not names or self._second is None or is_private(split_server(self._second)[0]):
            return None
        return await self.other_answer(names[0], vote_ms)


async def _any_answers(addresses: Sequence[str], port: int) -> bool:
    """Whether one of the first address of each family answers, be it by a refusal: one family may be broken without the link being so."""
    firsts = {(":" in address): address for address in reversed(addresses)}
    looks = [asyncio.ensure_future(_answers(address, port)) for address in firsts.values()]
    try:
        for ended in asyncio.as_completed(looks):
            if await ended:
                return True
    finally:
        for look in looks:
            look.cancel()
    return False


async def _answers(address: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(address, port)
    except ConnectionRefusedError:
        return True  # somebody out there answered
    except OSError:
        return False
    hang_up(writer.transport)
    return True


def _is_server(text: str) -> bool:
    try:
        split_server(text)
    except ValueError:
        return False
    return True


def is_literal(target: str) -> bool:
    """Whether a `host:port` names its host by address."""
    try:
        ipaddress.ip_address(target.rpartition(":")[0].strip("[]"))
    except ValueError:
        return False
    return True
