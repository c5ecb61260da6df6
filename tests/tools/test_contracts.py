"""Each contract of `make lint` refuses a violation of its own and names it: a small package that keeps them all, broken in one place."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tools import contracts
from tools.contracts import Rules
from tools.source import ROOT

TABLES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
COMPOSITION = ", ".join(TABLES["vigie"]["contracts"]["composition"])
LAYERS = [name.strip() for line in TABLES["importlinter"]["contracts"][0]["layers"] for name in line.split("|")]
KEPT = {
    "core/model": "from dataclasses import dataclass\n",
    "stores/sqlite/__init__": "import apsw\nfrom vigie.stores.sqlite.db import open_\n",
    "stores/sqlite/db": "",
    "stores/memory": "from vigie.core import model\n",
    "notifiers/kit/__init__": "",
    "notifiers/kit/text": "",
    "notifiers/email": "from vigie.notifiers.kit.text import words\n",
    "notifiers/slack": "",
    "app": "from vigie.stores.sqlite import Store\n",
}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the small package, with some files replaced or added; returns its folder."""

    def written(files: dict[str, str]) -> Path:
        root = tmp_path / "vigie"
        for layer in LAYERS:
            (root / layer).mkdir(parents=True)
            (root / layer / "__init__.py").touch()
        (root / "__init__.py").touch()
        for name, text in (KEPT | files).items():
            path = root / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (root / "app" / "__init__.py").write_text((root / "app.py").read_text())
        (root / "app.py").unlink()
        return root

    return written


@pytest.fixture
def table() -> Rules:
    """The project's own tables, but for what the small package does not hold."""
    packages = {layer: ["apsw"] if layer == "stores" else [] for layer in LAYERS}
    siblings = {"stores": [], "notifiers": ["kit"]}
    return replace(contracts.rules(ROOT / "pyproject.toml"), packages=packages, siblings=siblings, exceptions=[])


def test_the_project_keeps_its_contracts() -> None:
    assert contracts.check(ROOT / "src" / "vigie", contracts.rules(ROOT / "pyproject.toml")) == []


def test_a_package_that_keeps_them_is_accepted(write: Write, table: Rules) -> None:
    assert contracts.check(write({}), table) == []


def faults(root: Path, table: Rules) -> list[str]:
    """What is wrong, without the folder of the test."""
    return [fault.replace(f"{root}/", "") for fault in contracts.check(root, table)]


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("core/events", "import msgspec\n", "core/events.py:1: vigie.core.events imports msgspec: msgspec is not on the list of core [packages]"),
        ("web/view", "def f():\n    import httpx._models\n", "web/view.py:2: vigie.web.view imports httpx._models: httpx is not on the list of web [packages]"),
        ("net/tls", "import importlib\nimportlib.import_module('regex')\n", "net/tls.py:2: vigie.net.tls imports regex: regex is not on the list of net [packages]"),
        ("stores/memory", "from vigie.stores import sqlite\n", "stores/memory.py:1: vigie.stores.memory imports vigie.stores.sqlite: the members of vigie.stores share only the package itself [siblings]"),
        ("stores/sqlite/db", "from ..memory import X\n", "stores/sqlite/db.py:1: vigie.stores.sqlite.db imports vigie.stores.memory: the members of vigie.stores share only the package itself [siblings]"),
        ("notifiers/slack", "from vigie.notifiers.email import Config\n", "notifiers/slack.py:1: vigie.notifiers.slack imports vigie.notifiers.email: the members of vigie.notifiers share only kit [siblings]"),
        ("notifiers/kit/text", "from vigie.notifiers import email\n", "notifiers/kit/text.py:1: vigie.notifiers.kit.text imports vigie.notifiers.email: the members of vigie.notifiers share only kit [siblings]"),
        ("cli/report", "def f():\n    from vigie.stores.sqlite import Store\n", f"cli/report.py:2: vigie.cli.report imports vigie.stores.sqlite: only the composition root ({COMPOSITION}) names an adapter [adapters]"),
        ("engine/prober", "import_module(f'vigie.probes.{kind}')\n", "engine/prober.py:1: only plugins and cli and web may import a module by a name that is put together [adapters]"),
        ("engine/outbox", "import vigie.notifiers.email\n", f"engine/outbox.py:1: vigie.engine.outbox imports vigie.notifiers.email: only the composition root ({COMPOSITION}) names an adapter [adapters]"),
    ],
)  # fmt: skip
def test_an_import_that_breaks_a_contract_is_named(file: str, text: str, fault: str, write: Write, table: Rules) -> None:
    assert faults(write({file: text}), table) == [fault]


IMPORTS_A_KIND = "import importlib\nX = importlib.import_module(f'vigie.probes.{kind}')\n"

IMPURE = [
    ("import time\n", "time is not among the modules that a pure package may import"),
    ("import random\n", "random is not among the modules that a pure package may import"),
    ("import os\n", "os is not among the modules that a pure package may import"),
    ("import secrets\n", "secrets is not among the modules that a pure package may import"),
    ("from uuid import uuid4\n", "uuid is not among the modules that a pure package may import"),
    ("import logging\n", "logging is not among the modules that a pure package may import"),
    ("from pathlib import Path\n", "pathlib is not among the modules that a pure package may import"),
    ("from datetime import datetime\nX = datetime.now()\n", "datetime.now: time comes in as a value"),
    ("from datetime import UTC, datetime\nX = datetime.now(UTC)\n", "datetime.now: time comes in as a value"),
    ("import datetime\nX = datetime.datetime.utcnow()\n", "datetime.datetime.utcnow: time comes in as a value"),
    ("from datetime import date\nX = date.today()\n", "date.today: time comes in as a value"),
    ("from datetime import datetime\nX = field(default_factory=datetime.now)\n", "datetime.now: time comes in as a value"),
    ("def f(clock):\n    return clock.monotonic()\n", "clock.monotonic: time comes in as a value"),
    (
        "from datetime import datetime\nX = datetime.fromtimestamp(0)\n",
        "datetime.fromtimestamp(0): without a zone it takes the machine's own",
    ),
    ("def f(at):\n    return at.astimezone()\n", "at.astimezone(): without a zone it takes the machine's own"),
    ("X = open('/etc/hosts')\n", "open is not pure"),
    ("def f(path):\n    return path.read_text()\n", "path.read_text: files are read outside"),
    ("print('x')\n", "print is not pure"),
    ("X = input()\n", "input is not pure"),
    ("X = hash('a')\n", "hash is not pure"),
    ("X = map(print, [1])\n", "print is not pure"),
    ("def f(chance):\n    return chance.random()\n", "chance.random: ids and chance come in as values"),
    ("async def f():\n    pass\n", "a pure package waits for nothing"),
    ("X = 0\ndef f():\n    global X\n", "a pure package keeps no state of its own"),
]


@pytest.mark.parametrize(("text", "words"), IMPURE)
@pytest.mark.parametrize("package", ["core", "report", "text"])
def test_a_pure_package_that_is_not_is_named(package: str, text: str, words: str, write: Write, table: Rules) -> None:
    assert [fault.partition(": ")[2] for fault in faults(write({f"{package}/impure": text}), table)] == [f"{words} [pure]"]


PURE = [
    "import hashlib\nX = hashlib.sha256(b'').hexdigest()\n",
    "import re\nX = re.compile('a')\n",
    "from datetime import UTC, datetime, time\nX = datetime.fromtimestamp(0, UTC).time()\nY = time(1, 2)\n",
    "from zoneinfo import ZoneInfo\nX = ZoneInfo('Europe/Paris')\n",
    "def f(record):\n    return record.now\n",
]


@pytest.mark.parametrize("text", PURE)
def test_what_depends_on_its_arguments_alone_is_pure(text: str, write: Write, table: Rules) -> None:
    assert faults(write({"core/pure": text}), table) == []


def test_the_rules_of_purity_are_for_the_pure_packages_alone(write: Write, table: Rules) -> None:
    assert faults(write({"engine/clock": IMPURE[7][0]}), table) == []


def test_the_finder_of_kinds_may_put_a_name_together(write: Write, table: Rules) -> None:
    assert faults(write({"plugins/kinds": IMPORTS_A_KIND}), table) == []


def test_tables_that_do_not_fit_the_package_are_named(write: Write, table: Rules) -> None:
    packages = {name: names for name, names in table.packages.items() if name != "web"} | {"engine": ["httpx"]}
    stale = replace(table, packages=packages, exceptions=["vigie.cli.report -> vigie.stores.sqlite"])

    assert faults(write({}), stale) == [
        "pyproject.toml: web has no list of third-party packages [packages]",
        "pyproject.toml: engine is allowed httpx and does not import it [packages]",
        "pyproject.toml: the exception 'vigie.cli.report -> vigie.stores.sqlite' is no longer needed",
    ]


def test_an_exception_excuses_its_own_import_alone(write: Write, table: Rules) -> None:
    root = write({"cli/report": "import vigie.stores.sqlite\n", "cli/init": "import vigie.stores.sqlite\n"})
    excused = replace(table, exceptions=["vigie.cli.report -> vigie.stores.sqlite"])

    assert [fault.partition(":")[0] for fault in faults(root, excused)] == ["cli/init.py"]


LAYERED = [
    ("core/model", "from vigie import text\n", "vigie.core is not allowed to import vigie.text"),
    ("text/words", "from vigie import report\n", "vigie.text is not allowed to import vigie.report"),
    ("report/facts", "import vigie.ports\n", "vigie.report is not allowed to import vigie.ports"),
    ("engine/ingest", "import vigie.stores.memory\n", "vigie.engine is not allowed to import vigie.stores"),
    ("web/app", "import vigie.engine\n", "vigie.web is not allowed to import vigie.engine"),
    ("config/load", "def f():\n    import vigie.app\n", "vigie.config is not allowed to import vigie.app"),
    ("engine/outbox", "import vigie.testing\n", "vigie.engine is not allowed to import vigie.testing"),
    ("newroom/__init__", "", "newroom"),
]


@pytest.mark.parametrize(("file", "text", "words"), LAYERED)
def test_directions_are_kept_by_import_linter(file: str, text: str, words: str, write: Write) -> None:
    code, said = linted(write({file: text}).parent)

    assert code != 0
    assert words in " ".join(said.split())


def test_import_linter_accepts_a_package_that_keeps_the_directions(write: Write) -> None:
    code, said = linted(write({}).parent)

    assert code == 0, said


def linted(folder: Path) -> tuple[int, str]:
    """import-linter with the project's own contract, on the package in a folder."""
    config = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (folder / "pyproject.toml").write_text("[tool.importlinter]" + config.partition("[tool.importlinter]")[2])
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr
