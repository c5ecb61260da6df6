"""The whole configuration as YAML that can be read back: the file as it is written, and what a page or the API made in its place in it.

Variables stay `${NAME}`. A secret that was given to a page or the API is in no file, so that it gets a variable of its own.
"""

import io
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from vigie.commands.definitions import DefinitionKind
from vigie.config.definitions import SECTIONS, keys_of
from vigie.config.desired import Entry
from vigie.config.masked import masked
from vigie.net import MASK

_SEED = {"monitors": [{"url": "${SERVICE_URL:-https://ollama.com/}"}]}
_WIDTH = 140


def exported(text: str | None, entries: Iterable[Entry], environment: Mapping[str, Any] = _SEED) -> tuple[str, dict[str, str]]:
    """The YAML, and the values of the variables that it needs besides those of the file. `text` is the file, None without one.

    What is left out of the configuration is left out here, too, and named in a comment at the end.
    """
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, _WIDTH
    whole: Any = yaml.load(text) if text is not None else None
    if whole is None:
        whole = CommentedMap(environment if text is None else {})
    values: dict[str, str] = {}
    left = []
    for one in entries:
        if one.stored is None:
            continue
        if one.faults or one.kind not in SECTIONS:
            left.append(one)
            continue
        kind, raw = DefinitionKind(one.kind), json.loads(one.stored.body)
        body = _with_variables(raw, masked(raw, keys_of(kind, raw)), f"VIGIE_{one.id}", values)
        _put(whole, SECTIONS[kind], one.id, body)
    out = io.StringIO()
    yaml.dump(whole, out)
    return out.getvalue() + "".join(f"# left out: {one.kind} {one.id}: {one.faults[0].message}\n" for one in left if one.faults), values


def _put(whole: Any, section: str, name: str, body: dict[str, Any]) -> None:
    if section == "monitors":
        if whole.get(section) is None:
            whole[section] = CommentedSeq()
        whole[section].append(body)
        return
    if whole.get(section) is None:
        whole[section] = CommentedMap()
    whole[section][name] = {key: value for key, value in body.items() if key != "id"}


def _with_variables(raw: Any, shown: Any, name: str, values: dict[str, str]) -> Any:
    """The values with a variable in place of each secret."""
    if isinstance(raw, dict):
        return {key: _with_variables(one, shown[key], f"{name}_{key}", values) for key, one in raw.items()}
    if isinstance(raw, list):
        return [_with_variables(one, shown[index], f"{name}_{index + 1}", values) for index, one in enumerate(raw)]
    if not isinstance(raw, str) or raw == shown or MASK not in str(shown):
        return raw
    variable = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    while variable in values:
        variable += "_"
    values[variable] = raw.replace("$${", "${")
    return f"${{{variable}}}"


def as_env(values: Mapping[str, str]) -> str:
    """Lines of a `.env`, as python-dotenv reads them: within single quotes, `${` written as `${:-$}{`."""
    quoted = {name: value.replace("\\", "\\\\").replace("'", "\\'").replace("${", "${:-$}{") for name, value in values.items()}
    return "".join(f"{name}='{value}'\n" for name, value in quoted.items())
