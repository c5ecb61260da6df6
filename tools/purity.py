"""What a pure package may do: import what is listed, and call nothing that reads a clock, chance, a file, the environment or a log.

Imports are an allow-list. Within it there are calls that depend on more than their arguments (`datetime.now`, `fromtimestamp` without a
zone, `hash` of a text), and built-in functions that need no import (`open`, `print`).
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tools.source import Module, imports

# Built-in functions: files, the terminal, code from text, and what differs from one run to the next (`hash` is seeded, `id` is an address).
_BUILTINS = frozenset(["open", "print", "input", "breakpoint", "exec", "eval", "compile", "__import__", "hash", "id", "globals", "vars"])
# Methods, whatever they are called on: time comes in as a value, so that an injected clock would be as wrong as the system's.
_CLOCKS = frozenset(["now", "utcnow", "today", "monotonic", "perf_counter", "time_ns", "sleep", "localtime", "gmtime"])
_FILES = frozenset(
    ["open", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink", "iterdir", "rglob", "is_file", "is_dir", "exists"]
)
_CHANCE = frozenset(
    ["uuid1", "uuid4", "urandom", "random", "randint", "uniform", "shuffle", "token_hex", "token_bytes", "token_urlsafe", "choice"]
)
_WORLD = frozenset(["getenv", "environ", "getLogger", "system", "popen", "urlopen"])
_CLASSES = ("datetime", "date", "datetime.datetime", "datetime.date")
_WHY = {
    **dict.fromkeys(_CLOCKS, "time comes in as a value"),
    **dict.fromkeys(_FILES, "files are read outside"),
    **dict.fromkeys(_CHANCE, "ids and chance come in as values"),
    **dict.fromkeys(_WORLD, "the environment and logs are outside"),
}
_LOCAL_ZONE = "without a zone it takes the machine's own"


@dataclass(frozen=True, slots=True)
class Rules:
    """The pure packages, and what they may import of the standard library."""

    packages: list[str]
    modules: list[str]


def faults(module: Module, known: frozenset[str], table: Rules) -> Iterator[tuple[int, str]]:
    """(line, what is wrong) for everything impure in a module."""
    for one in imports(module, known):
        if not one.third_party and one.inner is None and one.target not in table.modules:
            yield one.line, f"{one.target} is not among the modules that a pure package may import"
    for node in ast.walk(module.tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield line, "a pure package waits for nothing"
        elif isinstance(node, ast.Global):
            yield line, "a pure package keeps no state of its own"
        elif isinstance(node, ast.Name) and node.id in _BUILTINS and isinstance(node.ctx, ast.Load):
            yield line, f"{node.id} is not pure"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from _call(node, node.func)
        elif isinstance(node, ast.Attribute) and node.attr in _CLOCKS and ast.unparse(node.value) in _CLASSES:
            yield line, f"{ast.unparse(node)}: {_WHY[node.attr]}"  # not only a call: `default_factory=datetime.now` calls it elsewhere


def _call(node: ast.Call, method: ast.Attribute) -> Iterator[tuple[int, str]]:
    if method.attr in _WHY and ast.unparse(method.value) not in _CLASSES:
        yield node.lineno, f"{ast.unparse(method)}: {_WHY[method.attr]}"
    given = len(node.args) + len(node.keywords)
    if (method.attr == "fromtimestamp" and given < 2) or (method.attr == "astimezone" and not given):
        yield node.lineno, f"{ast.unparse(node)}: {_LOCAL_ZONE}"
