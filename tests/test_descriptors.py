"""Descriptors: the limit is raised as far as it may, and connections never get all of them."""

import subprocess
import sys

import pytest

from vigie.descriptors import for_connections


@pytest.mark.parametrize(
    ("limit", "listeners", "each"),
    [
        (65_536, 1, 256),
        (1_024, 1, 256),
        (1_024, 2, 256),
        (512, 1, 256),
        (512, 2, 160),
        (256, 1, 64),
        (256, 2, 32),
        (64, 1, 16),
        (16, 2, 8),
        (1_024, 0, 256),
    ],
)
def test_what_is_left_for_connections(limit: int, listeners: int, each: int) -> None:
    assert for_connections(limit, listeners) == each


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
@pytest.mark.parametrize(("soft", "hard", "then"), [(64, 300, 300), (300, 300, 300), (128, 1_000, 1_000)])
def test_the_limit_is_raised_as_far_as_it_may(soft: int, hard: int, then: int) -> None:
    work = "import resource; from vigie.descriptors import raise_limit; print(raise_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))"
    limited = f'ulimit -Sn {soft}; ulimit -Hn {hard}; exec "$0" -c "$1"'
    done = subprocess.run(["bash", "-c", limited, sys.executable, work], capture_output=True, text=True, check=True)

    assert done.stdout.split() == [str(then), str(then), str(hard)]
