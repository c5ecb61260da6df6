"""Templates of people: the sandbox, its bounds in time, length and memory, and the faults that are found without running one."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from vigie.templating import MAX_TEMPLATE, MAX_TEXT, Renderer, TemplateError, faults

VALUES = {"monitor": "Shop", "lines": ["one", "two"], "facts": [{"id": "F1", "label": "x", "value": "y"}], "analysis": None}


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    made = Renderer(0.7)
    yield made
    made.close()


def rendered(renderer: Renderer, text: str) -> str:
    return renderer.render({"headline": text}, VALUES)["headline"]


def test_what_jinja_does(renderer: Renderer) -> None:
    text = "{% for one in lines %}{{ loop.index }}. {{ one|upper }}\n{% endfor %}{{ facts[0].value }}{% if analysis %}no{% endif %}"
    assert rendered(renderer, text) == "1. ONE\n2. TWO\ny"
    assert renderer.render({"a": "{{ monitor }}", "b": "x"}, VALUES) == {"a": "Shop", "b": "x"}


LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
HOSTILE = [
    LOOP,
    "{{ 'x' * 10**10 }}",
    "{{ 'x'.center(10**10) }}",
    "{% set n = namespace(t='x') %}{% for i in range(60) %}{% set n.t = n.t ~ n.t %}{% endfor %}{{ n.t }}",
    "{{ 10**(10**9) }}",
    "{% for a in range(99999) %}xxxxxxxxxx{% endfor %}",
    "{{ '{:99999999999}'.format(1) }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ ().__class__.__bases__[0].__subclasses__() }}",
    "{{ lines.__init__.__globals__ }}",
    "{{ lines.append('x') }}",
    "{{ facts[0].nothing }}",
    "{{ cycler.__init__.__globals__.os.system('true') }}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hangs_fills_or_escapes(renderer: Renderer, text: str) -> None:
    started = time.monotonic()
    with pytest.raises(TemplateError):
        rendered(renderer, text)
    assert time.monotonic() - started < 15
    assert rendered(renderer, "{{ monitor }}") == "Shop", "the next one works"


def test_a_process_that_ended_is_started_anew(renderer: Renderer) -> None:
    assert rendered(renderer, "a") == "a"
    assert renderer._process is not None
    os.kill(renderer._process.pid, signal.SIGKILL)
    assert rendered(renderer, "b") == "b"
    renderer.close()
    assert rendered(renderer, "c") == "c"


def test_the_longest_text(renderer: Renderer) -> None:
    assert len(rendered(renderer, f"{{{{ 'x' * {MAX_TEXT} }}}}")) == MAX_TEXT
    with pytest.raises(TemplateError, match="longer than"):
        rendered(renderer, f"{{{{ 'x' * {MAX_TEXT + 1} }}}}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ monitr }}", "line 1: unknown variable 'monitr'; did you mean 'monitor'?"),
        ("ok\n{{ monitor", "line 2: "),
        ("{% for a in lines %}{{ a }}", "line 1: "),
        ("{{ monitor|uper }}", "line 1: unknown filter 'uper'; did you mean 'upper'?"),
        ("{% if monitor is evn %}{% endif %}", "line 1: unknown test 'evn'; did you mean 'even'?"),
        ("{% include 'secrets' %}", "line 1: a template cannot load another one"),
        ("{{ lipsum() }}", "line 1: unknown variable 'lipsum'"),
        ("x" * (MAX_TEMPLATE + 1), "at most 10000 characters"),
        ("(" * 5_000 + "{{ " + "(" * 3_000 + " }}", ""),
    ],
)
def test_faults_are_found_without_running_it(text: str, words: str) -> None:
    found = faults(text, VALUES)
    assert found
    assert words in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "{{ monitor }}",
        "{% set x = lines|length %}{{ x }}",
        "{% for id, n in facts %}{{ id }}{{ loop.last }}{% endfor %}",
        "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1) }}{{ range(3)|list }}",
        *HOSTILE[:4],
    ],
)
def test_what_can_only_fail_when_it_runs_is_no_fault(text: str) -> None:
    assert faults(text, VALUES) == []
