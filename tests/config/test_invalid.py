"""Each invalid configuration is a file named for its fault; its first line says what the message must hold."""

from pathlib import Path

import pytest

from vigie.config import load
from vigie.errors import ConfigError

FOLDER = Path(__file__).parent / "invalid"


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_the_fault_is_named_with_its_place_and_fix(name: str, tmp_path: Path) -> None:
    path = FOLDER / f"{name}.yaml"
    expected = path.read_text().splitlines()[0].removeprefix("# expect: ").split(" | ")

    with pytest.raises(ConfigError) as raised:
        load(path, {}, tmp_path)

    said = str(raised.value)
    for words in expected:
        assert words in said, said
    assert str(path) in said


def test_all_faults_are_found_at_once(tmp_path: Path) -> None:
    path = tmp_path / "vigie.yaml"
    path.write_text("langage: fr\nmonitors:\n  - {url: nonsense}\n  - {url: https://a.test/, every: 5q, evry: 3}\n")

    with pytest.raises(ConfigError) as raised:
        load(path, {}, tmp_path)

    assert [(fault.line, fault.key) for fault in raised.value.faults] == [
        (1, "langage"),
        (3, "monitors[0]"),
        (4, "monitors[1].evry"),
        (4, "monitors[1].every"),
    ]
