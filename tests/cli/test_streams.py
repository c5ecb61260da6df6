"""Standard streams that are closed, full or gone: the exit status says what it would say, and no file takes their place."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell's redirections")
CONFIG = "log: {file: null}\ncontrol: []\nmonitors: [{name: a, url: 'http://127.0.0.1:1/'}]\n"
VIGIE = f"{sys.executable} -m vigie"


@pytest.mark.parametrize(
    ("command", "redirection", "status"),
    [
        ("check", ">&-", 2),
        ("check", "2>&-", 2),
        ("check", ">&- 2>&- <&-", 2),
        ("check", ">/dev/full", 3),
        ("check", "2>/dev/full", 2),
        ("config show", ">&-", 0),
        ("config show", "| head -c 1", 0),
        ("check nothing", "2>/dev/full", 3),
        ("once", "2>/dev/full", 3),
        ("once", ">&- 2>&- <&-", 3),
        ("--version", ">&-", 0),
    ],
)
def test_what_cannot_be_written_is_no_crash(command: str, redirection: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "vigie.yaml").write_text(CONFIG)
    line = f"{VIGIE} {command} {redirection}"
    done = subprocess.run(["/bin/sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert "crashed" not in done.stderr
