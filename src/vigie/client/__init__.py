"""A client of Vigie's API, for programs in Python: one method for each operation, answers as the Structs of `vigie.resources`.

    with Client("https://vigie.example.com", token="vigie_…") as vigie:
        for monitor in vigie.monitors(state="down"):
            print(monitor.name, monitor.result and monitor.result.message)

It does not repeat what fails, but a request that it sends again itself is done once: every POST carries an `Idempotency-Key`.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from vigie import resources
from vigie.errors import VigieError

__all__ = ["ApiError", "Client", "Tagged"]

T = TypeVar("T")
_ROOT = "/api/v1"
_SECONDS = 30.0
_AGAIN = 2  # times that a request whose connection broke is sent again


class ApiError(VigieError):
    """The API answered with a problem; `status` 0: it did not answer at all."""

    def __init__(self, problem: resources.Problem) -> None:
        faults = "; ".join(f"{one.key}: {one.detail}".removeprefix(": ") for one in problem.errors)
        super().__init__(
            ": ".join(filter(None, (problem.detail or problem.title, faults))), "; ".join(one.fix for one in problem.errors if one.fix)
        )
        self.problem = problem

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status


@dataclass(frozen=True, slots=True)
class Tagged:
    """A definition as it was read; `etag` is what a change of it is based on."""

    monitor: resources.Monitor
    etag: str


class Client:
    """A connection to one Vigie. Every method raises ApiError. `transport` is for tests."""

    def __init__(self, url: str, token: str = "", *, timeout: float = _SECONDS, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=url.rstrip("/") + _ROOT, headers=headers, timeout=timeout, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def monitors(self, *, tag: str | None = None, state: str | None = None, q: str | None = None) -> Iterator[resources.Monitor]:
        """All of them, or those that fit, by id."""
        return self._all("/monitors", resources.Monitor, {"tag": tag, "state": state, "q": q})

    def monitor(self, monitor: str) -> Tagged:
        """One of them."""
        return self._tagged("GET", _path("monitors", monitor))

    def create_monitor(self, definition: Mapping[str, Any]) -> Tagged:
        """Add one, as an entry of `monitors:` would."""
        return self._tagged("POST", "/monitors", definition)

    def replace_monitor(self, monitor: str, definition: Mapping[str, Any], etag: str = "*") -> Tagged:
        """Define it anew."""
        return self._tagged("PUT", _path("monitors", monitor), definition, etag)

    def change_monitor(self, monitor: str, changes: Mapping[str, Any], etag: str = "*") -> Tagged:
        """Change some keys; None removes one."""
        return self._tagged("PATCH", _path("monitors", monitor), changes, etag)

    def delete_monitor(self, monitor: str, etag: str = "*") -> None:
        """Remove it; its history stays."""
        self._send("DELETE", _path("monitors", monitor), headers={"If-Match": etag})

    def check_monitor(self, monitor: str) -> resources.Result:
        """Check it now."""
        return self._one("POST", _path("monitors", monitor, "check"), resources.Result)

    def results(self, monitor: str, since: datetime | None = None, until: datetime | None = None) -> Iterator[resources.Result]:
        """Its checks, newest first; of the last day, if nothing else is said."""
        return self._all(_path("monitors", monitor, "results"), resources.Result, _span(since, until))

    def uptime(self, monitor: str, spans: str = "24h,30d,90d", location: str | None = None) -> list[resources.Uptime]:
        """How available it was; as one location saw it, by its checks, where that is asked for."""
        asked = {"spans": spans, "location": location}
        return list(self._all(_path("monitors", monitor, "uptime"), resources.Uptime, asked, paged=False))

    def locations(self, monitor: str) -> list[resources.Location]:
        """What each location that checks it sees now."""
        return list(self._all(_path("monitors", monitor, "locations"), resources.Location, {}, paged=False))

    def rollups(
        self, monitor: str, since: datetime | None = None, until: datetime | None = None, resolution: str = "day"
    ) -> list[resources.Rollup]:
        """What its checks come to by `hour` or `day`."""
        asked = {**_span(since, until), "resolution": resolution}
        return list(self._all(_path("monitors", monitor, "rollups"), resources.Rollup, asked, paged=False))

    def incidents(self, *, open_only: bool = False) -> Iterator[resources.Incident]:
        """Newest first."""
        return self._all("/incidents", resources.Incident, {"open": "true" if open_only else None})

    def incident(self, incident: str) -> resources.IncidentDetails:
        """Everything on record of one."""
        return self._one("GET", _path("incidents", incident), resources.IncidentDetails)

    def acknowledge(self, incident: str, note: str = "") -> resources.Done:
        """Somebody is on it."""
        return self._one("POST", _path("incidents", incident, "ack"), resources.Done, {"note": note})

    def snooze(self, incident: str, duration: str) -> resources.Done:
        """Nothing is sent about its alert for that long (`2h`)."""
        return self._one("POST", _path("incidents", incident, "snooze"), resources.Done, {"for": duration})

    def resolve(self, incident: str, note: str = "") -> resources.Done:
        """Close the incidents of its alert."""
        return self._one("POST", _path("incidents", incident, "resolve"), resources.Done, {"note": note})

    def note(self, incident: str, text: str) -> resources.Done:
        """Keep what somebody found."""
        return self._one("POST", _path("incidents", incident, "note"), resources.Done, {"text": text})

    def alerts(self, *, open_only: bool = False, monitor: str | None = None) -> Iterator[resources.Alert]:
        """Newest first."""
        return self._all("/alerts", resources.Alert, {"open": "true" if open_only else None, "monitor": monitor})

    def alert(self, alert: str) -> resources.AlertDetails:
        """Everything on record of one."""
        return self._one("GET", _path("alerts", alert), resources.AlertDetails)

    def notices(self, state: str = "unsent", *, channel: str | None = None, alert: str | None = None) -> Iterator[resources.Notice]:
        """Newest first."""
        return self._all("/notices", resources.Notice, {"state": state, "channel": channel, "alert": alert})

    def retry_notice(self, key: str) -> resources.Done:
        """Have an unsent one tried at once."""
        return self._one("POST", _path("notices", key, "retry"), resources.Done)

    def drop_notice(self, key: str) -> resources.Done:
        """Give an unsent one up."""
        return self._one("POST", _path("notices", key, "drop"), resources.Done)

    def maintenance(self) -> Iterator[resources.Maintenance]:
        """What is planned."""
        return self._all("/maintenance", resources.Maintenance)

    def start_maintenance(
        self, duration: str, *, monitors: tuple[str, ...] = (), tags: tuple[str, ...] = (), why: str = ""
    ) -> resources.Maintenance:
        """Plan work from now on (`2h`), on all monitors where neither ids nor tags are given."""
        body = {"for": duration, "monitors": list(monitors), "tags": list(tags), "why": why}
        return self._one("POST", "/maintenance", resources.Maintenance, body)

    def end_maintenance(self, number: int) -> None:
        """End it now."""
        self._send("DELETE", _path("maintenance", str(number)))

    def agents(self) -> Iterator[resources.Agent]:
        """Those that check from other places."""
        return self._all("/agents", resources.Agent)

    def enroll_agent(self, name: str, location: str) -> resources.AgentEnrolled:
        """Let an agent report; its token is in this answer alone."""
        return self._one("POST", "/agents", resources.AgentEnrolled, {"name": name, "location": location})

    def revoke_agent(self, name: str) -> None:
        """Let an agent report no longer."""
        self._send("DELETE", _path("agents", name))

    def channels(self) -> Iterator[resources.Channel]:
        """Where notices go."""
        return self._all("/channels", resources.Channel)

    def test_channel(self, name: str) -> resources.ChannelTest:
        """Send a marked test notice."""
        return self._one("POST", _path("channels", name, "test"), resources.ChannelTest)

    def status_pages(self) -> Iterator[resources.StatusPage]:
        """By id."""
        return self._all("/status-pages", resources.StatusPage)

    def _tagged(self, method: str, path: str, body: Mapping[str, Any] | None = None, etag: str = "") -> Tagged:
        answer = self._send(method, path, body, headers={"If-Match": etag} if etag else {})
        return Tagged(_decoded(answer, resources.Monitor), answer.headers.get("etag", ""))

    def _one(self, method: str, path: str, kind: type[T], body: Mapping[str, Any] | None = None) -> T:
        return _decoded(self._send(method, path, body), kind)

    def _all(self, path: str, kind: type[T], asked: Mapping[str, str | None] = MappingProxyType({}), *, paged: bool = True) -> Iterator[T]:
        """Every item, a page at a time."""
        given = {name: value for name, value in asked.items() if value is not None}
        limit, cursor = {"limit": "500"} if paged else {}, dict[str, str]()
        while True:
            page: Any = _decoded(self._send("GET", path, query={**given, **limit, **cursor}), resources.Items[kind])  # type: ignore[valid-type]
            yield from page.items
            if page.next is None:
                return
            cursor = {"cursor": page.next}

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer of a request that went well."""
        sent = dict(headers or {}) | ({"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {})
        tries = _AGAIN if method in ("GET", "POST") else 0
        while True:
            try:
                answer = self._http.request(method, path, json=body, params=query, headers=sent)
            except httpx.TransportError as error:
                if tries == 0:
                    raise ApiError(resources.Problem(title="no answer", status=0, detail=str(error) or type(error).__name__)) from error
                tries -= 1
                continue
            if answer.is_success:
                return answer
            raise ApiError(_problem(answer))


def _path(*parts: str) -> str:
    return "/" + "/".join(quote(one, safe="") for one in parts)


def _span(since: datetime | None, until: datetime | None) -> dict[str, str | None]:
    return {"from": _iso(since), "until": _iso(until)}


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone().isoformat()


def _decoded(answer: httpx.Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError as error:
        detail = f"the answer is not what this version expects: {error}"
        raise ApiError(resources.Problem(title="not understood", status=answer.status_code, detail=detail)) from error


def _problem(answer: httpx.Response) -> resources.Problem:
    try:
        return msgspec.json.decode(answer.content, type=resources.Problem)
    except msgspec.DecodeError:
        return resources.Problem(title=answer.reason_phrase or "error", status=answer.status_code, detail=answer.text[:200])
