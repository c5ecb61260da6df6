"""The container, as far as that can be seen without a container engine: its file is linted, its steps are carried out in a folder, what
they make is run, and the compose file asks for what the image offers."""

import fnmatch
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
PIP = "/opt/vigie/bin/python -m pip install --quiet"
_LARGEST = 260 * 1024 * 1024  # bytes of /opt/vigie


@dataclass(frozen=True, slots=True)
class Step:
    """An instruction of a Dockerfile: `FROM` and the like, with what follows on its joined lines."""

    name: str
    rest: str


def steps() -> list[list[Step]]:
    """The instructions of each stage."""
    text = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    found: list[list[Step]] = [[]]
    for line in text.splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            if name == "FROM":
                found.append([])
            found[-1].append(Step(name, " ".join(rest.split())))
    return found[1:]


def sent(path: Path) -> bool:
    """Whether a file goes to the builder, by .dockerignore: the last rule that fits decides."""
    name, decided = path.relative_to(ROOT).as_posix(), True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        bare = rule.lstrip("!").removeprefix("**/")
        deep = "**/" in rule
        parts = name.split("/")
        fits = any(fnmatch.fnmatch(part, bare) for part in parts) if deep else fnmatch.fnmatch(parts[0], bare)
        if fits:
            decided = rule.startswith("!")
    return decided


def copied(step: Step, into: Path) -> None:
    """COPY, of what is sent to the builder."""
    *sources, target = step.rest.split()
    for source in sources:
        for file in [ROOT / source] if (ROOT / source).is_file() else (ROOT / source).rglob("*"):
            if file.is_file() and sent(file):
                goal = into / target / (file.name if (ROOT / source).is_file() else file.relative_to(ROOT / source))
                goal.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, goal)


def test_the_file_is_well_written() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([linter if linter.exists() else "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_only_what_it_is_built_from_is_sent_to_the_builder() -> None:
    assert [one.name for one in ROOT.iterdir() if one.is_file() and sent(one)] == [
        one.name
        for one in ROOT.iterdir()
        if one.name in ("LICENSE", "README.md", "hatch_build.py", "pyproject.toml", "requirements-image.lock")
    ]
    assert sent(ROOT / "src/vigie/app.py")
    assert not sent(ROOT / ".env")
    assert not sent(ROOT / "src/vigie/__pycache__/app.cpython-311.pyc")


def test_it_runs_as_nobody_in_particular_and_writes_to_one_folder() -> None:
    *_, last = steps()
    values = {step.name: step.rest for step in last}

    assert values["USER"] == "10001:10001"
    assert json.loads(values["VOLUME"]) == [values["WORKDIR"]] == ["/data"]
    assert json.loads(values["ENTRYPOINT"]) == ["vigie"]
    assert values["EXPOSE"] == "8080"
    assert "VIGIE_LISTEN=0.0.0.0:8080" in values["ENV"]
    assert all("apt" not in step.rest for step in last if step.name == "RUN")  # nothing of the system is added


def test_every_package_is_pinned_with_its_hashes() -> None:
    lines = (ROOT / "requirements-image.lock").read_text(encoding="utf-8").replace("\\\n", "").splitlines()

    assert len(lines) > 50
    assert all("==" in line and "--hash=sha256:" in line for line in lines if line.strip())
    names = {line.partition("==")[0].partition("[")[0] for line in lines}
    assert {"pycurl", "apsw", "dnspython", "h2", "opentelemetry-sdk"} <= names


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The build stage, carried out in a folder in place of the root of a container."""
    root = tmp_path_factory.mktemp("image")
    place = root / "src"
    uv = shlex.quote(str(Path(sys.executable).with_name("uv")))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    for step in steps()[0]:
        if step.name == "WORKDIR":
            place = root / step.rest.lstrip("/")
            place.mkdir(parents=True, exist_ok=True)
        elif step.name == "COPY":
            copied(step, place)
        elif step.name == "RUN":
            words = step.rest.replace(PIP, f"{uv} pip install --quiet --python /opt/vigie/bin/python")  # the same wheels, side by side
            words = words.replace("/opt/vigie", str(root / "opt/vigie")).replace(
                "python3 -m venv", f"{shlex.quote(sys.executable)} -m venv"
            )
            done = subprocess.run(["bash", "-ec", words], cwd=place, env=clean, capture_output=True, text=True, check=False, timeout=400)
            assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    yield root / "opt/vigie"
    shutil.rmtree(root, ignore_errors=True)


@pytest.mark.timeout(600)
def test_what_its_steps_make_is_small_and_serves_a_page(made: Path, tmp_path: Path) -> None:
    size = sum(one.stat().st_size for one in made.rglob("*") if one.is_file() and not one.is_symlink())
    assert size < _LARGEST, f"{size / 1024 / 1024:.0f} MiB"
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    (tmp_path / "vigie.yaml").write_text("llm: {provider: none}\ncontrol: []\nlog: {file: null}\nmonitors: [http://127.0.0.1:1/]\n")
    environment = {"PATH": f"{made}/bin:/usr/bin:/bin", "VIGIE_LISTEN": f"127.0.0.1:{port}", "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        ["vigie", "serve"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if f"http://127.0.0.1:{port}/" in line:
                break
        check = json.loads(next(step.rest for step in steps()[-1] if step.name == "HEALTHCHECK").partition("CMD ")[2])
        words = [one.replace("127.0.0.1:8080", f"127.0.0.1:{port}") for one in check]
        assert subprocess.run(words, env=environment, check=False, timeout=30).returncode == 0
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            assert b"vigie_build_info" in answer.read()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_compose_asks_for_what_the_image_offers() -> None:
    read: dict[str, Any] = YAML(typ="safe").load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))
    vigie, model = read["services"]["vigie"], read["services"]["ollama"]
    *_, last = steps()
    values = {step.name: step.rest for step in last}

    assert vigie["read_only"] is True
    assert vigie["cap_drop"] == ["ALL"]
    assert vigie["security_opt"] == ["no-new-privileges:true"]
    assert [one.rpartition(":")[2] for one in vigie["ports"]] == [values["EXPOSE"]]
    assert all(one.startswith("127.0.0.1:") for one in vigie["ports"])
    assert vigie["volumes"] == [f"./data:{values['WORKDIR']}"]
    assert (ROOT / "deploy" / vigie["build"]["context"]).resolve() == ROOT
    assert model["profiles"] == ["ollama"]
    assert set(read["volumes"]) == {
        one.partition(":")[0] for service in read["services"].values() for one in service["volumes"] if one[0] != "."
    }
    assert int(vigie["stop_grace_period"].rstrip("s")) > 15
