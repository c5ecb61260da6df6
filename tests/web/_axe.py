"""Accessibility by axe-core (WCAG 2.2 A and AA, best practices): its script comes with a package of the development tools, no network.

A page's test calls `assert_accessible(page)` once the page is as it is to be judged; test_every_page.py does so for all of them at rest.
"""

from functools import cache
from importlib import resources
from typing import Any

from playwright.sync_api import Page

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """async (rules) => (await axe.run(document, {runOnly: rules, resultTypes: ["violations"]})).violations
  .map((one) => [one.id, one.help, one.nodes.slice(0, 3).map((node) => [node.html.slice(0, 160), node.failureSummary.slice(0, 300)])])"""


@cache
def _script() -> str:
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def violations(page: Page) -> list[Any]:
    """What axe-core finds: rule, what it asks for, and the first elements that break it."""
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(_script())  # the page's policy forbids a script element
    found: list[Any] = page.evaluate(_RUN, _RULES)
    return found


def assert_accessible(page: Page) -> None:
    """Fail with what is not accessible."""
    found = violations(page)
    assert found == [], "\n".join(f"{rule}: {words} {nodes}" for rule, words, nodes in found)
