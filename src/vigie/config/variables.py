"""The environment with `.env` behind it; every setting that came from `.env` remembers its line there."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vigie.errors import ConfigError, Fault

VARIABLE = re.compile(r"\$(?=\$\{)|(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")  # `$${` writes `${`
_LARGEST = 16 * 1024 * 1024
_LONGEST = 1024 * 1024  # of one value: forty lines of ${A}${A} would fill all memory


@dataclass(frozen=True, slots=True)
class Variables:
    """Values by name, and the (file, line) of those that `.env` brought. `file` is where `.env` is, or would be."""

    values: Mapping[str, str]
    file: str
    places: dict[str, tuple[str, int]] = field(default_factory=dict)

    def fault(self, name: str, message: str, fix: str = "") -> Fault:
        """What is wrong with a variable, with its place."""
        file, line = self.places.get(name, ("environment" if name in self.values else self.file, None))
        return Fault(message, fix, name, file, line)


def text_of(path: Path, fix: str = "") -> str:
    """A text file of a bounded size, without its byte order mark; `fix` is for a file that is not there.

    Raises ConfigError that says why it cannot be read, and at which line.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        remedy = fix if isinstance(error, FileNotFoundError) else "make it readable for this user"
        raise ConfigError([Fault(f"cannot be read: {error.strerror}", remedy, file=str(path))]) from error
    if len(data) > _LARGEST:
        raise ConfigError([Fault("is larger than 16 MiB", "check that it is the right file", file=str(path))])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError([Fault("this is not UTF-8 text", "save the file as UTF-8", file=str(path), line=line)]) from error


def read(base: Path, environ: Mapping[str, str]) -> Variables:
    """The environment, with `.env` of a folder behind it. Raises ConfigError for a `.env` that cannot be read.

    Values expand as python-dotenv expands them: `${NAME}` and `${NAME:-default}`, whatever the quotes; the environment comes before earlier
    lines, later lines are not looked at, and what is set nowhere is empty. `${:-$}{` writes `${`.
    """
    path = base / ".env"
    if not (path.exists() or path.is_symlink()):
        return Variables(environ, str(path))
    from dotenv.parser import parse_stream

    own, places, faults = dict[str, str](), dict[str, tuple[str, int]](), []
    for binding in parse_stream(io.StringIO(text_of(path))):
        written = binding.original.string
        line = binding.original.line + written.count("\n", 0, len(written) - len(written.lstrip()))  # blank lines before it are its
        if binding.error:
            faults.append(Fault("this line is not NAME=value", "fix it, close its quotes, or comment it out with #", "", str(path), line))
        elif binding.key is not None and binding.value is not None and binding.key not in environ:
            own[binding.key], places[binding.key] = _expanded(binding.value, {**own, **environ}), (str(path), line)
            if len(own[binding.key]) > _LONGEST:
                faults.append(Fault("this value is too long once its ${…} are filled in", "shorten it", binding.key, str(path), line))
                break
    if faults:
        raise ConfigError(faults)
    return Variables({**own, **environ}, str(path), places)


def _expanded(text: str, known: Mapping[str, str]) -> str:
    if "${" not in text:
        return text
    from dotenv.variables import parse_variables

    return "".join(atom.resolve(known) for atom in parse_variables(text))
