"""Every notifier keeps every law in each of the ways in which it reaches its provider; a new file under `notifiers/` is found by itself."""

from pathlib import Path

import pytest
from tests.notifiers.servers import Opener, rigs_of

from vigie import plugins
from vigie.testing.notifier_suite import LAWS, keep

WAYS = [pytest.param(opener, id=f"{kind}-{way}") for kind in plugins.kinds("notifiers") for way, opener in rigs_of(kind).items()]


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("opener", WAYS)
async def test_a_notifier_keeps_the_law(opener: Opener, law: str, tmp_path: Path) -> None:
    async with opener(tmp_path) as rig:
        if not await keep(law, rig):
            pytest.skip("the channel is not capable of it")
