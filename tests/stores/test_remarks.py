"""What people said of incidents is kept, by every store."""

from pathlib import Path

import pytest

from vigie import plugins
from vigie.report.history import Remark

from .test_conformance import opener

SAID = [
    Remark("shop-1", 10, "ann", helpful=True),
    Remark("shop-1", 20, "bob", cause="behind_proxy", note="the pool was full – é"),
    Remark("shop-2", 30, "ann", helpful=False),
]


@pytest.mark.parametrize("kind", [*plugins.kinds("stores"), "memory", "sqlite inline", "sqlite by the standard library"])
async def test_remarks_are_kept_in_order(kind: str, tmp_path: Path) -> None:
    open_ = opener(kind, tmp_path)
    store = open_()
    for one in SAID:
        await store.remark(one)
    await store.close()

    again = open_()
    assert await again.remarks(["shop-1"]) == SAID[:2]
    assert await again.remarks(["shop-2", "shop-1", "gone-9"]) == SAID
    assert await again.remarks([]) == []
    await again.close()
