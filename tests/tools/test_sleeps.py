"""A sleep that waits for something is found; one that is about time itself is not."""

import pytest
from tools import sleeps

WAITS = [
    "async def test_a():\n    await asyncio.sleep(0.1)\n",
    "def test_a():\n    time.sleep(1)\n",
    "def until(true):\n    while not true():\n        time.sleep(0.02)\n",
    "async def test_a():\n    while not done:\n        await asyncio.sleep(pause)\n",
    "@pytest.mark.virtual\nasync def test_a(): pass\nasync def test_b():\n    await asyncio.sleep(3)\n",
    "@pytest.mark.virtual\nasync def test_a(): pass\ndef test_b():\n    async def inner():\n        await asyncio.sleep(3)\n",
]
FREE = [
    "async def test_a():\n    await asyncio.sleep(0)\n",
    "async def handler(reader, writer):\n    await asyncio.sleep(0.2)\n",
    "pytestmark = pytest.mark.virtual\nasync def test_a():\n    await asyncio.sleep(3600)\n",
    "pytestmark = [pytest.mark.virtual]\nasync def test_a():\n    await asyncio.sleep(3600)\n",
    "@pytest.mark.virtual\nasync def test_a():\n    await asyncio.sleep(3600)\n",
    "@pytest.mark.virtual\nasync def test_a(): pass\nasync def fake():\n    await asyncio.sleep(3)\n",
    "async def test_a():\n    await asyncio.sleep(0.1)  # slow: what is measured\n",
    "async def test_a():\n    await clock.sleep(10)\n",
]


@pytest.mark.parametrize("text", WAITS)
def test_a_sleep_that_waits_is_found(text: str) -> None:
    assert list(sleeps.found(text)) == [next(number for number, line in enumerate(text.splitlines(), 1) if "sleep(" in line)]


@pytest.mark.parametrize("text", FREE)
def test_a_sleep_that_is_about_time_is_left_alone(text: str) -> None:
    assert list(sleeps.found(text)) == []
