"""The form of each kind of check, out of the Structs that read the file: a field's type says how it is entered, its mark what it means."""

import re
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from io import StringIO
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from vigie import plugins
from vigie.config import one_monitor
from vigie.config.assemble import kind_of_url
from vigie.config.convert import struct_of
from vigie.config.model import Common
from vigie.config.shown import plain
from vigie.config.streak import Streak
from vigie.errors import ConfigError, Fault, VigieError
from vigie.net import MASK, Secret
from vigie.planning.duration import Duration
from vigie.queries.forms import Entered, Field, KindForm, Widget

_BASIC = ("name", "every", "tags", "alert", "url", "host", "port")
_ADDRESS = ("url", "host", "port")  # one or the other says what is watched, where a URL stands for the others
_PAIR = re.compile(r"\s*([^:\s]+)\s*:\s*(.*)")
_OF_OTHERS = ("alert", "depends_on")  # what names other parts of the configuration
_LONGEST = 60  # of a default that is worth showing


class Forms:
    """Implements FormQueries. `alerts` are the names of the policies in force."""

    def __init__(self, alerts: Callable[[], Sequence[str]] = lambda: ("default",)) -> None:
        self._alerts = alerts

    def kinds(self) -> tuple[tuple[str, str], ...]:
        """Every kind that can be described, `http` first."""
        found = [(kind, _about(kind)) for kind in plugins.kinds("probes")]
        return tuple(sorted(found, key=lambda one: (one[0] != "http", one[0])))

    def form(self, kind: str) -> KindForm | None:
        """The form of a kind."""
        if kind not in plugins.kinds("probes"):
            return None
        made = _form(kind)
        names = tuple(self._alerts())
        return KindForm(made.kind, made.about, tuple(_alert(one, names) for one in made.fields), made.example, made.missing)

    def kind_of(self, body: Mapping[str, Any]) -> str:
        """The kind of an entry."""
        return str(body.get("type") or kind_of_url(body.get("url")))

    def filled(self, kind: str, body: Mapping[str, Any]) -> dict[str, str]:
        """The texts of the fields for an entry."""
        form = self.form(kind)
        found = {one.key: _text(one, _at(body, one.key)) for one in form.fields} if form else {}
        return {key: text for key, text in found.items() if text}

    def read(self, kind: str, texts: Mapping[str, str]) -> Entered:
        """What the texts of the fields say."""
        body: dict[str, Any] = {}
        faults: list[Fault] = []
        form = self.form(kind)
        for one in form.fields if form else ():
            text = texts.get(one.key, "").replace("\r\n", "\n").strip()
            if not text:
                continue
            try:
                _put(body, one.key, _value(one, text))
            except ValueError as error:
                faults.append(Fault(str(error), "", one.key))
        if kind != kind_of_url(body.get("url")):
            body = {"type": kind, **body}
        return Entered(body, tuple(faults))

    def faults(self, body: Mapping[str, Any]) -> tuple[Fault, ...]:
        """What is wrong with an entry by itself; whether the names in it are known is not asked."""
        try:
            one_monitor({name: value for name, value in body.items() if name not in _OF_OTHERS and not (name == "enabled" and not value)})
        except ConfigError as error:
            return tuple(error.faults)
        return ()

    def written(self, body: Mapping[str, Any]) -> str:
        """The entry as it would be in the file."""
        return _dumped([body["url"]] if set(body) == {"url"} else [dict(body)])


@cache
def _form(kind: str) -> KindForm:
    module = plugins.load("probes", kind, complete=False)
    by_url = hasattr(module.Config, "from_url")
    own = list(_fields(module.Config, ""))
    if by_url and all(one.key != "url" for one in own):
        own.insert(0, Field("url", Widget.TEXT, "The address, which stands for the other fields that say where it is.", basic=True))
        own = [_unrequired(one) if one.key in _ADDRESS or one.required else one for one in own]
    names = {one.key for one in own}
    common = [one for one in _fields(Common, "") if one.key not in {*names, "type"}]
    return KindForm(kind, _about(kind), (*own, *common), _example(kind, module), _missing(kind))


def _missing(kind: str) -> str:
    try:
        plugins.load("probes", kind)
    except VigieError as error:
        return f"{error.message}; {error.fix}"
    return ""


def _example(kind: str, module: Any) -> str:
    if (found := getattr(module, "_EXAMPLE", None)) is not None:
        return str(found)
    one = next((one for one in msgspec.structs.fields(module.Config) if one.encode_name == "url"), None)
    if one is not None:
        return _metas(one.type).get("example", "")
    return f"{kind}://example.com" if hasattr(module.Config, "from_url") else ""


def _about(kind: str) -> str:
    try:
        module = plugins.load("probes", kind, complete=False)
    except VigieError:
        return ""
    return str(module.Config.__doc__ or "").partition("\n")[0].split(". ")[0].rstrip(".")


def _unrequired(one: Field) -> Field:
    return Field(one.key, one.widget, one.about, one.usual, one.example, one.choices, required=False, basic=True)


def _alert(one: Field, names: tuple[str, ...]) -> Field:
    """The field of the policy, with the names of those in force."""
    if one.key != "alert":
        return one
    return Field(one.key, Widget.CHOICE, one.about, "default", "", names, required=False, basic=True)


def _fields(struct: type[msgspec.Struct], above: str) -> Iterator[Field]:
    for one in msgspec.structs.fields(struct):
        key = f"{above}.{one.encode_name}" if above else one.encode_name
        inner = struct_of(one.type)
        if inner is not None and _bare(one.type) is inner:
            yield from _fields(inner, key)
            continue
        metas = _metas(one.type)
        basic = one.required or (not above and one.encode_name in _BASIC)
        yield Field(
            key,
            _widget(one.type),
            metas.get("description", ""),
            _usual(one),
            metas.get("example", ""),
            _choices(one.type),
            required=one.required and not above,
            basic=basic and not above,
        )


def _metas(kind: Any) -> dict[str, str]:
    """Description and first example of an annotation."""
    found: dict[str, str] = {}
    while get_origin(kind) is Annotated:
        kind, *metas = get_args(kind)
        for meta in metas:
            if isinstance(meta, msgspec.Meta):
                if meta.description:
                    found.setdefault("description", meta.description)
                if meta.examples:
                    found.setdefault("example", _shown(meta.examples[0]))
    return found


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "\n".join(f"{name}: {_shown(item)}" for name, item in value.items())
    if isinstance(value, list):
        return "\n".join(map(_shown, value)) if all(isinstance(item, str) for item in value) else _dumped(value)
    return str(value)


def _usual(one: Any) -> str:
    """What holds where nothing is entered."""
    if one.required:
        return ""
    made = one.default if one.default is not msgspec.NODEFAULT else one.default_factory()
    if made is None or made in ([], {}, ()):
        return ""
    text = _shown(plain(made) if isinstance(made, msgspec.Struct | Duration | Streak) else made)
    return text if len(text) <= _LONGEST and "\n" not in text else ""


def _bare(kind: Any) -> Any:
    """An annotation without its metadata and without None."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, types.UnionType):
        left = [one for one in get_args(kind) if one is not type(None)]
        return _bare(left[0]) if len(left) == 1 else kind
    return kind


def _parts(kind: Any) -> tuple[Any, ...]:
    kind = _bare(kind)
    if get_origin(kind) in (Union, types.UnionType):
        return tuple(_bare(one) for one in get_args(kind) if one is not type(None))
    return (kind,)


def _widget(kind: Any) -> Widget:
    parts = _parts(kind)
    if any(one is Any or (get_origin(one) is dict and len(parts) > 1) or struct_of(one) is not None for one in parts):
        return Widget.YAML
    for one in parts:
        if get_origin(one) is dict:
            return Widget.PAIRS if get_args(one)[1] in (str, Secret) else Widget.YAML
        if get_origin(one) in (list, tuple, frozenset):
            return Widget.LINES if _bare(get_args(one)[0]) in (str, int, Duration) else Widget.YAML
    if Secret in parts:
        return Widget.SECRET
    if all(one is bool or get_origin(one) is Literal for one in parts):
        return Widget.CHOICE
    return Widget.NUMBER if all(one in (int, float) for one in parts) else Widget.TEXT


def _choices(kind: Any) -> tuple[str, ...]:
    if _widget(kind) is not Widget.CHOICE:
        return ()
    found = [choice for one in _parts(kind) for choice in (("true", "false") if one is bool else map(str, get_args(one)))]
    if "true" in found:  # `on` and `off` are other words for them
        found = [one for one in found if one not in ("on", "off")]
    return tuple(found)


def _at(body: Mapping[str, Any], key: str) -> Any:
    value: Any = body
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _put(body: dict[str, Any], key: str, value: Any) -> None:
    *above, last = key.split(".")
    for part in above:
        body = body.setdefault(part, {})
    body[last] = value


def _text(one: Field, value: Any) -> str:
    """A value of the definition as its field has it."""
    if value is None:
        return ""
    if one.widget is Widget.PAIRS and isinstance(value, Mapping):
        return "\n".join(f"{name}: {item}" for name, item in value.items())
    if one.widget is Widget.LINES and isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return _dumped(value).strip() if isinstance(value, Mapping | list | tuple) else str(value)


def _value(one: Field, text: str) -> Any:
    """What a field's text stands for; ValueError says why it cannot be read."""
    match one.widget:
        case Widget.CHOICE if text in ("true", "false"):
            return text == "true"
        case Widget.CHOICE if one.key == "alert" and ":" in text:  # a policy that is written out
            return _loaded(text)
        case Widget.NUMBER:
            return _number(text)
        case Widget.LINES:
            return [line.strip() for line in text.split("\n") if line.strip()]
        case Widget.PAIRS:
            return _pairs(text)
        case Widget.YAML:
            return _loaded(text)
        case _:
            return text


def _number(text: str) -> Any:
    if re.fullmatch(r"-?[0-9]{1,15}", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?[0-9]{1,15}\.[0-9]{1,15}", text) else text


def _pairs(text: str) -> dict[str, str]:
    found = {}
    for line in text.split("\n"):
        if line.strip():
            match = _PAIR.fullmatch(line)
            if match is None:
                raise ValueError(f"{line.strip()[:_LONGEST]!r} is not a name and a value; write `Name: value`, one a line")
            found[match[1]] = match[2]
    return found


def _loaded(text: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    from vigie.config.yaml_faults import words

    try:
        found = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        said, fix, _ = words(error) if isinstance(error, YAMLError) else ("it cannot be read", "write YAML", None)
        raise ValueError(f"this is not valid YAML: {said}; {fix}") from None
    return found


def _dumped(value: Any) -> str:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.allow_unicode = False, True
    setattr(yaml, "sort_base_mapping_type_on_output", False)  # noqa: B010 - the library types it by its default, None
    sink = StringIO()
    yaml.dump(_masked(value), sink)
    return sink.getvalue().removesuffix("...\n")


def _masked(value: Any) -> Any:
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, Mapping):
        return {str(name): _masked(item) for name, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list | tuple) else value
