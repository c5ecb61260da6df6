"""The key `templates` of every channel: what is read, and every fault with its line and fix."""

import pickle
from pathlib import Path

import pytest

from vigie.config import Desired, load
from vigie.config.shown import schema, shown
from vigie.errors import ConfigError


def read(tmp_path: Path, templates: str) -> Desired:
    (tmp_path / "vigie.yaml").write_text(
        f"notify:\n  hook:\n    type: webhook\n    url: https://hooks.example.org/x\n    templates: {templates}\nmonitors: [https://site.example.org/]\n"
    )
    return load(tmp_path / "vigie.yaml", {"TOKEN": "hunter2-hunter2"}, tmp_path)


def faults(tmp_path: Path, templates: str) -> list[str]:
    with pytest.raises(ConfigError) as found:
        read(tmp_path, templates)
    return [str(one).removeprefix(f"{tmp_path}/vigie.yaml:") for one in found.value.faults]


def test_templates_are_read_and_travel(tmp_path: Path) -> None:
    found = pickle.loads(pickle.dumps(read(tmp_path, "{headline: '{{ monitor }}', reasons: {recovered: {body: 'ok ${TOKEN}'}}}")))
    templates = found.channels["hook"].templates
    assert templates.texts() == {"headline": "{{ monitor }}"}
    assert templates.reasons["recovered"].texts() == {"body": "ok hunter2-hunter2"}
    assert "hunter2" not in shown(found) + repr(found.channels["hook"])
    assert "{{ monitor }}" in shown(found)
    assert read(tmp_path, "null").channels["hook"].templates is None


@pytest.mark.parametrize(
    ("templates", "words"),
    [
        ("{headline: '{{ monitr }}'}", "unknown variable 'monitr'; did you mean 'monitor'?"),
        ("{headline: '{{ monitor'}", "notify.hook.templates.headline: the template is not valid: line 1"),
        ("{titel: x}", "unknown key 'titel'"),
        ("{reasons: {opend: {headline: x}}}", "unknown key 'opend' (did you mean 'opened'?)"),
        ("{reasons: {opened: {lines: '{{ x }}'}}}", "notify.hook.templates.reasons.opened.lines: the template is not valid"),
        ("{reasons: {opened: x}}", "keys with values are expected"),
        ("{lines: a, body: b}", "`body` takes the place of `lines`"),
        ("x", "keys with values are expected"),
        ("{headline: 5}", "text is expected"),
    ],
)
def test_every_fault_has_its_place(tmp_path: Path, templates: str, words: str) -> None:
    found = faults(tmp_path, templates)
    assert any(words in one for one in found), found
    assert all(one.startswith("5: ") for one in found)


def test_the_schema_has_it_for_every_channel() -> None:
    kinds = schema()["properties"]["notify"]["additionalProperties"]["anyOf"]
    assert all("templates" in kind["properties"] for kind in kinds)
