"""Samples of many monitors as text: what was written of a check is kept until its next one, so that a scrape mostly joins lines.

prometheus_client would take two seconds of the interpreter for ten thousand monitors; a test compares what both write. The lines are the
same in both formats, Prometheus text 0.0.4 and OpenMetrics 1.0: escaping, and gauges, do not differ.
"""

import zlib
from collections.abc import Iterator, Sequence
from itertools import chain, compress, repeat

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from vigie.core.model import Monitor
from vigie.queries.measures import Measures, MonitorMeasures, Seen
from vigie.web.metrics.catalogue import CHECKED, OF_MONITORS, TLS_VERSION, Metric
from vigie.web.metrics.own import registry

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})
_END = b"# EOF\n"
_COLUMNS = [
    (one.metric, "".join(f',{key}="{value}"' for key, value in labels.items()), read) for one in CHECKED for labels, read in one.readings
]
_LEVEL = 1  # of compression: such text shrinks to a fifteenth by it, in a third of the time of the usual level

Line = tuple[str, Seen, tuple[str | None, ...]]


def escaped(text: str) -> str:
    """The value of a label, whatever is in it; half a surrogate pair becomes a question mark."""
    return text.translate(_ESCAPES).encode("utf-8", "replace").decode()


class Lines:
    """What was written of each monitor, kept from one scrape to the next. Used by one thread at a time."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Line] = {}
        self._known: dict[str, tuple[Monitor, str, str]] = {}  # by monitor: what its labels and its `info` were made of, and those

    def parts(self, monitors: Sequence[MonitorMeasures]) -> Iterator[str]:
        """The text of every metric of monitors, in parts."""
        lines = self._renewed(monitors)
        labels = [one[0] for one in lines]
        columns = list(zip(*(one[2] for one in lines), strict=True)) or [()] * len(_COLUMNS)
        last = ""
        for (metric, extra, _), values in zip(_COLUMNS, columns, strict=True):
            text = _column(metric.name, labels, f"{extra}}} ", values)
            if text and metric.name != last:
                yield _head(metric)
                last = metric.name
            yield text
        found = [one[1].tls_version for one in lines]
        spelt = {one: None if one is None else _spelt(one) for one in set(found)}
        yield from _family(TLS_VERSION, labels, 'version="', [spelt[one] for one in found])
        yield from self._of_monitors(monitors, lines)

    def _renewed(self, monitors: Sequence[MonitorMeasures]) -> list[Line]:
        """The lines of now; what was made of a check that is still the newest is used again."""
        found: dict[tuple[str, str], Line] = {}
        for one in monitors:
            for seen in one.seen:
                key = one.monitor.id, seen.location
                known = self._kept.get(key)
                if known is None or known[1] is not seen:
                    labels = known[0] if known is not None else f'{{monitor="{escaped(key[0])}",location="{escaped(key[1])}"'
                    values = [read(seen) for _, _, read in _COLUMNS]
                    known = labels, seen, tuple([None if value is None else f"{value!r}\n" for value in values])
                found[key] = known
        self._kept = found
        return list(found.values())

    def _of_monitors(self, monitors: Sequence[MonitorMeasures], lines: Sequence[Line]) -> Iterator[str]:
        """What Vigie adds about each monitor."""
        info, state, incident, cause, checked = OF_MONITORS
        self._known = {one.monitor.id: self._named(one.monitor) for one in monitors}
        labels, about = [one[1] for one in self._known.values()], [one[2] for one in self._known.values()]
        yield from _family(info, labels, "", about)
        yield from _family(state, labels, 'state="', [f'{one.state.value}"}} 1\n' for one in monitors])
        yield _head(incident) if monitors else ""
        yield _column(incident.name, labels, "} ", ["1\n" if one.incident else "0\n" for one in monitors])
        places = [one[0] for one in lines]
        yield from _family(cause, places, 'cause="', [None if one[1].cause is None else f'{one[1].cause.value}"}} 1\n' for one in lines])
        yield _head(checked) if lines else ""
        yield _column(checked.name, places, "} ", [f"{one[1].at / 1000!r}\n" for one in lines])

    def _named(self, monitor: Monitor) -> tuple[Monitor, str, str]:
        known = self._known.get(monitor.id)
        if known is None or known[0] is not monitor:
            texts = (("name", monitor.name), ("kind", monitor.kind), ("target", monitor.target), ("tags", ",".join(monitor.tags)))
            about = ",".join(f'{label}="{escaped(value)}"' for label, value in texts)
            known = monitor, f'{{monitor="{escaped(monitor.id)}"', f"{about}}} 1\n"
        return known


def _spelt(version: str) -> str:
    """`TLS 1.3`, as blackbox_exporter has it, for what OpenSSL calls `TLSv1.3`; with the rest of its line."""
    return f'{escaped(version.replace("TLSv", "TLS "))}"}} 1\n'


def _head(metric: Metric) -> str:
    return f"# HELP {metric.name} {metric.about}\n# TYPE {metric.name} {metric.kind}\n"


def _family(metric: Metric, labels: Sequence[str], label: str, ends: Sequence[str | None]) -> Iterator[str]:
    """A metric whose last labels, and value, are in the ends of its lines; nothing where there are none."""
    if text := _column(metric.name, labels, f",{label}", ends):
        yield _head(metric)
        yield text


def _column(name: str, labels: Sequence[str], middle: str, ends: Sequence[str | None]) -> str:
    """A line for each end that is not None; four texts are joined for it, without a step of the interpreter between."""
    pieces = zip(repeat(name), compress(labels, ends), repeat(middle), filter(None, ends), strict=False)
    return "".join(chain.from_iterable(pieces))


def exposition(measures: Measures, lines: Lines, accept: str, *, packed: bool) -> tuple[bytes, str]:
    """The whole answer and its content type, in the format that the reader asks for (`accept`); by gzip where `packed`."""
    encode, kind = choose_encoder(accept)
    own = encode(registry(measures))
    ended = own.endswith(_END)
    head = own[: -len(_END)] if ended else own
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16) if packed else None
    found = bytearray()
    for part in (head, *_encoded(lines.parts(measures.monitors)), _END if ended else b""):
        found += part if packer is None else packer.compress(part)
    if packer is not None:
        found += packer.flush()
    return bytes(found), kind


def _encoded(parts: Iterator[str]) -> Iterator[bytes]:
    for part in parts:
        yield part.encode()


def small(made: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """A registry in the format that the reader asks for."""
    encode, kind = choose_encoder(accept)
    return encode(made), kind
