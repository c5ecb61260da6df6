"""`/probe?target=…&module=…`, answered as blackbox_exporter answers it: Prometheus decides what is looked at, and when."""

import json
import math
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from vigie.commands.probing import Probed, ProbeFault
from vigie.core.model import CheckResult, Status
from vigie.queries.measures import seen
from vigie.web.access import ActorKind, Role, actor_of, route
from vigie.web.metrics.catalogue import CHAIN_INFO, CHECKED, TLS_VERSION
from vigie.web.metrics.exposition import small
from vigie.web.page import HEADERS
from vigie.web.site import Site

_USUAL_MODULE = "http_2xx"
_OFFSET_SECONDS = 0.5  # of the scrape's time-out, for the way back; as blackbox_exporter's `--timeout-offset`
_USUAL_SECONDS, _LONGEST_SECONDS, _SHORTEST_SECONDS = 120.0, 300.0, 0.1
_LONGEST_TARGET = 2_048
_STATUS = {ProbeFault.MODULE: 400, ProbeFault.TARGET: 400, ProbeFault.INTERNAL: 403, ProbeFault.NOT_NOW: 503}
# What blackbox_exporter always has, with 0 for what did not happen; of HTTP, those of HTTP too.
_ALWAYS = ("probe_dns_lookup_time_seconds", "probe_duration_seconds", "probe_ip_protocol", "probe_ip_addr_hash")
_ALWAYS_HTTP = (
    "probe_http_status_code",
    "probe_http_duration_seconds",
    "probe_http_version",
    "probe_http_redirects",
    "probe_http_ssl",
    "probe_http_uncompressed_body_length",
    "probe_failed_due_to_regex",
)


def routes(site: Site) -> list[BaseRoute]:
    """`/probe`; nothing where nothing can look."""
    probing = site.commands.probing
    if probing is None:
        return []

    async def probe(request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "none") not in (
            "none",
            "same-origin",
        ):  # a browser is to look at addresses for another site
            return _plain("This was asked by the page of another site", 403)
        asked = request.query_params
        target, module = asked.get("target", ""), asked.get("module") or _USUAL_MODULE
        if not target or len(target) > _LONGEST_TARGET:
            return _plain("Target parameter is missing" if not target else "Target parameter is too long", 400)
        timeout = _timeout_ms(request.headers.get("x-prometheus-scrape-timeout-seconds"))
        if timeout is None:
            return _plain("X-Prometheus-Scrape-Timeout-Seconds is not a number of seconds", 400)
        actor = actor_of(request)
        trusted = actor is not None and (actor.role >= Role.ADMIN or actor.kind is ActorKind.LOCAL)
        found = await probing.probe(target, module, timeout, trusted=trusted)
        return _answer(found, request.headers.get("accept", ""), debug=asked.get("debug") == "true")

    return [route("/probe", probe, needs=Role.RESPONDER)]


def _timeout_ms(header: str | None) -> int | None:
    """The time for a check, by what Prometheus gives the scrape; None for what is not a number."""
    try:
        seconds = float(header) if header else 0.0
    except ValueError:
        return None
    if not math.isfinite(seconds) or seconds < 0:
        return None
    left = (seconds or _USUAL_SECONDS) - _OFFSET_SECONDS
    return round(min(max(left, _SHORTEST_SECONDS), _LONGEST_SECONDS) * 1000)


def _answer(found: Probed, accept: str, *, debug: bool) -> Response:
    result = found.result
    if result is None or found.fault is not None:
        return _plain(found.words, _STATUS.get(found.fault or ProbeFault.NOT_NOW, 503))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Checked(result, found.kind))
    if debug:
        return _plain(_debug(found, result, small(registry, "")[0].decode()), 200)
    if result.status is Status.UNKNOWN:  # no word about the target: a scrape that fails, not a service that does
        return _plain(f"Vigie could not check it: {result.message}", 503)
    body, kind = small(registry, accept)
    return Response(body, headers={**HEADERS, "Content-Type": kind})


def _plain(words: str, status: int) -> Response:
    return PlainTextResponse(words.rstrip("\n") + "\n", status_code=status, headers=HEADERS)


class _Checked:
    """A collector over one result."""

    def __init__(self, result: CheckResult, kind: str) -> None:
        self._result, self._kind = result, kind

    def collect(self) -> Iterator[Metric]:
        """The families."""
        one = seen(self._result)
        always = (*_ALWAYS, *(_ALWAYS_HTTP if self._kind == "http" else ()))
        for checked in CHECKED:
            metric = checked.metric
            usual = 0 if metric.name in always else None
            values = [(labels, usual if (value := read(one)) is None else value) for labels, read in checked.readings]
            yield from _family(metric.name, metric.about, values)
        if one.tls_version is not None:
            yield from _family(TLS_VERSION.name, TLS_VERSION.about, [({"version": one.tls_version.replace("TLSv", "TLS ")}, 1)])
        if self._result.tls is not None and self._result.tls.chain:
            leaf = self._result.tls.chain[0]
            labels = {"fingerprint_sha256": leaf.sha256, "subject": leaf.subject, "issuer": leaf.issuer}
            yield from _family(CHAIN_INFO.name, CHAIN_INFO.about, [({**labels, "subjectalternative": ",".join(leaf.names)}, 1)])


def _family(name: str, about: str, values: list[tuple[Mapping[str, str], int | float | None]]) -> Iterator[Metric]:
    """A gauge with the samples that there are; nothing where there are none."""
    there = [(labels, value) for labels, value in values if value is not None]
    if there:
        made = GaugeMetricFamily(name, about, labels=list(there[0][0]))
        for labels, value in there:
            made.add_metric(list(labels.values()), value)
        yield made


def _debug(found: Probed, result: CheckResult, metrics: str) -> str:
    """What was seen, the metrics, and the module, under the headings that blackbox_exporter has."""
    times = result.timings
    phases = {name: getattr(times, name) for name in ("dns", "connect", "tls", "first_byte", "transfer", "total")}
    seen_there = {
        "status": result.status.value,
        "cause": result.cause.value if result.cause else None,
        "message": result.message,
        "address": result.address,
        "addresses": list(result.addresses),
        "phases_ms": phases,
        "hops": list(result.http.hops) if result.http else [],
        "advice": list(result.advice),
    }
    return (
        f"Logs for the probe:\n{_lines(seen_there)}\n\n\nMetrics that would have been returned:\n{metrics}"
        f"\n\n\nModule configuration:\n{_lines(found.module)}"
    )


def _lines(values: Mapping[str, object]) -> str:
    return "\n".join(f"{name}: {json.dumps(value, ensure_ascii=False, default=str)}" for name, value in values.items())
