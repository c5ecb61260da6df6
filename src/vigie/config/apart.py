"""Reading a configuration in a process of its own, for a program that stays.

Thousands of monitors keep an interpreter busy for seconds and take more memory to read than to hold. Neither is for the process that
takes in results and serves pages.
"""

import os
import pickle
import signal
import subprocess
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vigie.config import Desired, load
from vigie.errors import ConfigError, Fault, VigieError
from vigie.ports import StoredDefinition


def examined_apart(file: Path | None, base: Path) -> Desired:
    """The configuration as it is on the disk now, with what cannot work on this machine. Raises as `load_apart` does."""
    return load_apart(file, os.environ, base, verify=True)


def load_apart(
    asked: Path | None, environ: Mapping[str, str], cwd: Path, *, verify: bool = False, stored: Sequence[StoredDefinition] | None = None
) -> Desired:
    """What `load` gives. Raises ConfigError with every fault; VigieError when that process broke, the store is busy or unreachable."""
    # -P: what lies in the working directory is not to be imported.
    command = [sys.executable, "-P", "-m", "vigie.config.apart"]
    done = subprocess.run(command, input=pickle.dumps((asked, dict(environ), cwd, verify, stored)), stdout=subprocess.PIPE, check=False)  # noqa: S603 - our own program
    if done.returncode:
        raise VigieError(f"the configuration could not be read: the process that reads it exited with status {done.returncode}")
    found: Desired | list[Fault] | tuple[str, str]
    try:
        found = pickle.loads(done.stdout)  # noqa: S301 - our own program's words
    except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, TypeError) as error:  # it is of another version
        raise VigieError(f"Vigie was replaced by another version while it ran ({error})", "restart it") from error
    if isinstance(found, Desired):
        return found
    if isinstance(found, tuple):
        raise VigieError(*found)
    raise ConfigError(found)


def main() -> None:
    """The process: what was asked for comes in, Desired or faults go out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C reaches both; whoever asked gives up
    from vigie.config.shown import shown  # not for the process that asks

    sink, sys.stdout = sys.stdout.buffer, sys.stderr  # what a third-party module prints is not part of the answer
    asked, environ, cwd, verify, stored = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own program's words
    found: Desired | list[Fault] | tuple[str, str]
    try:
        desired = load(asked, environ, cwd, verify=verify, whole=True, stored=stored)
        found = replace(desired, summary=zlib.compress(shown(desired).encode()))
    except ConfigError as error:
        found = error.faults
    except VigieError as error:
        found = error.message, error.fix
    pickle.dump(found, sink)


if __name__ == "__main__":
    main()
