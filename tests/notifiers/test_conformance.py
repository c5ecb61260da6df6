"""Every notifier that is installed keeps every law; a new file under `notifiers/` is found by itself."""

from pathlib import Path

import pytest

from vigie import plugins
from vigie.testing.notifier_rigs import open_rig
from vigie.testing.notifier_suite import LAWS


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("kind", plugins.kinds("notifiers"))
async def test_a_notifier_keeps_the_law(kind: str, law: str, tmp_path: Path) -> None:
    async with open_rig(kind, tmp_path) as rig:
        await LAWS[law](rig)
