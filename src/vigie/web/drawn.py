"""Rows as they were last written: what is drawn of a monitor changes seldom, and a page has a hundred of them."""

from collections import OrderedDict
from dataclasses import dataclass

from jinja2 import Environment

from vigie.core.model import Monitor
from vigie.queries import MonitorState
from vigie.queries.board import BoardRow, Past, Span
from vigie.web.rendering import Words
from vigie.web.rows import hot, row_of

_HELD = 4_000


@dataclass(frozen=True, slots=True)
class _Written:
    """A row up to the time of its newest check, and what it was written from."""

    monitor: Monitor
    state: MonitorState
    hot: bool
    past: Past | None
    html: str

    def of(self, row: BoardRow, past: Past | None) -> bool:
        """Whether it would be the same."""
        return self.past is past and self.state is row.state and self.monitor is row.view.monitor and self.hot == hot(row)


class DrawnRows:
    """Writes rows, each anew when something in it but its age is another. Used from the threads for pages."""

    def __init__(self, pages: Environment) -> None:
        self._pages = pages
        self._written: OrderedDict[tuple[str, Span, str], _Written] = OrderedDict()

    def line(self, row: BoardRow, past: Past | None, span: Span, words: Words) -> str:
        """The row without what follows its figures."""
        key = row.id, span, words.language
        known = self._written.get(key)
        if known is None or not known.of(row, past):
            html = self._pages.get_template("overview_row.html.j2").render(one=row_of(row, past, span, words), words=words).strip()
            known = self._written[key] = _Written(row.view.monitor, row.state, hot(row), past, html)
            while len(self._written) > _HELD:
                self._written.popitem(last=False)
        return known.html
