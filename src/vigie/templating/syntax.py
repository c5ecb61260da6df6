"""The sandbox, and what is wrong with a template that was not run: its syntax, and names that nothing has."""

import difflib
from collections.abc import Collection, Iterator

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

_GLOBALS = ("range", "dict", "namespace", "cycler", "joiner")
_LOCAL = frozenset({"loop", "self", "super", "caller", "varargs", "kwargs"})
_FORBIDDEN = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


def environment() -> ImmutableSandboxedEnvironment:
    """Jinja that reaches nothing but the values, and that fails for a name that nothing has."""
    made = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
    made.globals = {name: made.globals[name] for name in _GLOBALS}
    return made


def faults_of(text: str, known: Collection[str]) -> list[str]:
    """Each fault in a sentence."""
    made = environment()
    try:
        tree = made.parse(text)
    except TemplateSyntaxError as error:
        return [f"line {error.lineno}: {error.message}"]
    except RecursionError:
        return ["the template is nested too deeply"]
    except Exception as error:  # noqa: BLE001 - whatever the parser trips on is a fault of the template
        return [f"the template cannot be read: {type(error).__name__}"]
    return [f"line {line}: {words}" for line, words in dict.fromkeys(_found(tree, made, known))]


def _found(tree: nodes.Template, made: ImmutableSandboxedEnvironment, known: Collection[str]) -> Iterator[tuple[int, str]]:
    for node in tree.find_all(_FORBIDDEN):
        yield node.lineno, "a template cannot load another one"
    names = list(tree.find_all(nodes.Name))
    own = {one.name for one in names if one.ctx != "load"} | {one.name for one in tree.find_all(nodes.Macro)} | _LOCAL
    for one in names:
        if one.ctx == "load" and one.name not in own and one.name not in _GLOBALS and one.name not in known:
            yield one.lineno, f"unknown variable {one.name!r}{_near(one.name, known)}"
    for named in tree.find_all(nodes.Filter):
        if named.name not in made.filters:
            yield named.lineno, f"unknown filter {named.name!r}{_near(named.name, made.filters)}"
    for tested in tree.find_all(nodes.Test):
        if tested.name not in made.tests:
            yield tested.lineno, f"unknown test {tested.name!r}{_near(tested.name, made.tests)}"


def _near(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
