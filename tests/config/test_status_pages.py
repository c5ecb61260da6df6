"""Status pages of a file: what is taken, and each fault with its key."""

from pathlib import Path
from typing import Any

import pytest

from vigie.config import load
from vigie.errors import ConfigError

_HEAD = """
web: {public_url: "https://vigie.example.com"}
monitors:
  - {name: Shop, url: "https://shop.example.com/", tags: [pub]}
  - {name: Pay v2, id: pay, url: "https://10.0.0.9/p", tags: [pub, eu]}
  - https://bare.example.com/
notify: {mail: {type: email, to: a@b.example, host: h.example, sender: v@b.example}, hook: {type: webhook, url: "https://h.example/x"}}
status_pages:
"""


def pages(tmp_path: Path, text: str) -> Any:
    (tmp_path / "vigie.yaml").write_text(_HEAD + text)
    return load(None, {}, tmp_path).status_pages


def faults(tmp_path: Path, text: str) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as error:
        pages(tmp_path, text)
    return [(fault.key, f"{fault.message} {fault.fix}") for fault in error.value.faults]


def test_a_page_is_made_of_monitors_tags_and_groups_each_once(tmp_path: Path) -> None:
    (page,) = pages(
        tmp_path,
        "  public: {title: Lumen, monitors: [Shop], tags: [pub], groups: [{title: All, monitors: [pay, bare-example-com]}], "
        "names: {pay: Card payments, bare-example-com: Blog}, language: fr, timezone: Europe/Paris}",
    )
    assert [(one.title, [(c.monitor, c.name, c.key) for c in one.components]) for one in page.sections] == [
        ("", [("shop", "Shop", "shop"), ("pay", "Card payments", "card-payments")]),
        ("All", [("bare-example-com", "Blog", "blog")]),
    ]
    assert (page.path, page.url, page.mail, page.language) == ("/status/public", "https://vigie.example.com/status/public", "mail", "fr")


def test_names_alike_have_keys_of_their_own(tmp_path: Path) -> None:
    (page,) = pages(tmp_path, "  p: {title: L, monitors: [Shop, pay], names: {shop: Same, pay: same}}")
    assert [one.key for one in page.components] == ["same", "same-2"]


def test_a_page_has_its_own_domain_and_logo(tmp_path: Path) -> None:
    (tmp_path / "l.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (page,) = pages(tmp_path, "  p: {title: L, monitors: [Shop], domain: Status.Example.org, logo: l.svg}")
    assert (page.domain, page.url, page.logo.media) == ("status.example.org", "https://status.example.org", "image/svg+xml")


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("  p: {title: L}", "status_pages.p", "nothing would be on the page"),
        ("  p: {title: L, monitors: [Shoo]}", "status_pages.p.monitors", "did you mean 'Shop'"),
        ("  p: {title: L, tags: [pubs]}", "status_pages.p.tags", "did you mean 'pub'"),
        ("  p: {title: L, monitors: [bare-example-com]}", "status_pages.p", "the public would see"),
        ("  p: {title: L, monitors: [Shop], path: /alerts}", "status_pages.p.path", "is Vigie's own"),
        ("  p: {title: L, monitors: [Shop], path: /}", "status_pages.p.path", "is not a path"),
        ("  p: {title: L, monitors: [Shop], path: /a/../b}", "status_pages.p.path", "is not a path"),
        (
            "  p: {title: L, monitors: [Shop], path: /etat}\n  q: {title: L, monitors: [Shop], path: /etat/x}",
            "status_pages.q.path",
            "is taken",
        ),
        ("  p: {title: L, monitors: [Shop], domain: vigie.example.com}", "status_pages.p.domain", "Vigie itself"),
        ("  p: {title: L, monitors: [Shop], domain: 'https://x.org'}", "status_pages.p.domain", "host name"),
        ("  p: {title: L, monitors: [Shop], domain: x.example.org, public: false}", "status_pages.p.domain", "not public"),
        ("  p: {title: L, monitors: [Shop], colours: {accent: '#cccccc'}}", "status_pages.p.colours.accent", "its contrast is 1.5"),
        ("  p: {title: L, monitors: [Shop], colours: {accent: red}}", "status_pages.p.colours.accent", "is not a colour"),
        (
            "  p: {title: L, monitors: [Shop], colours: {accent: '#1b55a8', accent_dark: '#111111'}}",
            "status_pages.p.colours.accent_dark",
            "lighter",
        ),
        ("  p: {title: L, monitors: [Shop], logo: ../x.svg}", "status_pages.p.logo", "outside"),
        ("  p: {title: L, monitors: [Shop], logo: vigie.yaml}", "status_pages.p.logo", "is not a picture"),
        ("  p: {title: L, monitors: [Shop], mail: hook}", "status_pages.p.mail", "not a channel of type email"),
        ("  p: {title: L, monitors: [Shop], mail: mail, public: false}", "status_pages.p.mail", "no subscribers"),
        ("  p: {title: L, monitors: [Shop], support: 'javascript:alert(1)'}", "status_pages.p.support", "neither"),
        ("  p: {title: L, monitors: [Shop], timezone: Mars/One}", "status_pages.p.timezone", ""),
        ("  p: {title: L, monitors: [Shop], words: {broken: x}}", "status_pages.p.words", ""),
        ('  p: {title: "L\\u202ex", monitors: [Shop]}', "status_pages.p", "misleads"),
        ("  P_1: {title: L, monitors: [Shop]}", "status_pages.P_1", "small letters"),
        ("  p: {title: L, monitor: [Shop]}", "status_pages.p.monitor", "did you mean"),
    ],
)
def test_a_fault_has_its_key_and_what_to_do(tmp_path: Path, text: str, key: str, words: str) -> None:
    found = faults(tmp_path, text)
    assert any(one.startswith(key) and words in said for one, said in found), found
