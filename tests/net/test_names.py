"""How names are spelt, and which are addresses."""

import pytest

from vigie.net.names import ascii_name, is_localhost, literal


@pytest.mark.parametrize(
    ("name", "spelt"),
    [
        ("Shop.Example", "shop.example"),
        ("shop.example.", "shop.example."),
        ("_acme.shop.example", "_acme.shop.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("shop。example", "shop.example"),
        ("ｓｈｏｐ.example", "shop.example"),
        ("_x.bücher.example", "_x.xn--bcher-kva.example"),
        ("☕.example", "xn--53h.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_a_name_is_spelt_as_browsers_do(name: str, spelt: str) -> None:
    assert ascii_name(name) == spelt


@pytest.mark.parametrize("name", ["a" * 64, ".".join(["a" * 50] * 6), "ü" * 64, "ü" * 100_000, "a b", "a\tb", "a\x7fb", "\ud800"])
def test_a_name_that_cannot_be_spelt_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        ascii_name(name)


@pytest.mark.parametrize(
    ("host", "address"),
    [("192.0.2.1", "192.0.2.1"), ("[::1]", "::1"), ("2001:DB8:0::1", "2001:db8::1"), ("shop.example", None), ("127.1", None), ("", None)],
)
def test_which_hosts_are_addresses(host: str, address: str | None) -> None:
    assert literal(host) == address


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("a.b.localhost", True),
        ("localhost.example", False),
        ("notlocalhost", False),
        ("", False),
    ],
)
def test_which_names_never_leave_this_machine(name: str, ours: bool) -> None:
    assert is_localhost(name) is ours
