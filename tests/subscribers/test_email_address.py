"""Addresses: which are accepted, in which form, and that no message repeats one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.subscribers.email_address import InvalidAddress, index_of, parse_address
from tests.subscribers.helpers import VAULT

GOOD = {
    " Anna.Lee+news@Example.ORG ": "Anna.Lee+news@example.org",
    "anna@exämple.org": "anna@xn--exmple-cua.org",
    "anna@例子.example.org": "anna@xn--fsqu00a.example.org",
    "o'neil@example.org": "o'neil@example.org",
    "a@b.co": "a@b.co",
}
#: What keyboards for right-to-left scripts and copying from pages leave around an address.
INVISIBLE = (
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\u00ad\u061c\u00a0"
)
BAD = [
    "", "   ", "anna", "@nowhere.org", "anna@", "a@b@c.org", "anna@localhost", "anna@example", "anna@example.test",
    "anna@printer.local", "anna@hidden.onion", "anna@nothing.invalid", '"anna lee"@example.org', '"<x>"@example.org',
    "anna lee@example.org", "anna,bob@example.org", "Anna <anna@example.org>", "<anna@example.org>", "anna@[127.0.0.1]",
    "anna@[IPv6:::1]", "anna@127.0.0.1", "anna(comment)@example.org", "@relay.org:anna@example.org", "anna@example..org",
    ".anna@example.org", "anna.@example.org", "an..na@example.org", "anna@-example.org", "änna@example.org",
    "anna@example.org\r\nRCPT TO:<eve@example.org>", "anna@example.org\nBcc: eve@example.org", "anna\0@example.org",
    "anna@exa\u202emple.org", f"{'a' * 65}@example.org", f"anna@{'a' * 64}.org", f"anna@{'abcdefghi.' * 26}org",
    "a" * 100_000, "=?utf-8?q?x?=@example.org\t", "anna@example.org,",
]  # fmt: skip


@pytest.mark.parametrize(("typed", "kept"), GOOD.items())
def test_valid_addresses_are_normalized(typed, kept):
    assert parse_address(typed).value == kept


@pytest.mark.parametrize("mark", INVISIBLE)
def test_invisible_characters_around_address_are_removed(mark):
    for typed in (f"{mark}anna@example.org", f"anna@example.org{mark}", f" {mark} anna@example.org{mark}\u200b\n"):
        assert parse_address(typed).value == "anna@example.org"


@pytest.mark.parametrize("mark", INVISIBLE.rstrip("\u00a0"))
def test_invisible_character_inside_address_is_named(mark):
    for typed in (f"an{mark}na@example.org", f"anna@exam{mark}ple.org", f"anna{mark}@example.org"):
        with pytest.raises(InvalidAddress, match="invisible character"):
            parse_address(typed)


def test_full_width_at_sign_is_accepted():
    assert parse_address("anna\uff20example.org").value == "anna@example.org"


@pytest.mark.parametrize("typed", BAD)
def test_invalid_addresses_are_refused_without_being_repeated(typed):
    with pytest.raises(InvalidAddress) as caught:
        parse_address(typed)
    assert typed.strip() == "" or typed.strip() not in str(caught.value)
    assert caught.value.__cause__ is None
    assert str(caught.value).endswith(".")


def test_test_domain_needs_option():
    assert parse_address("anna@example.test", test_domains=True).value == "anna@example.test"


@given(st.emails())
def test_normalizing_twice_changes_nothing(typed):
    try:
        once = parse_address(typed, test_domains=True)
    except InvalidAddress:
        return
    assert parse_address(once.value, test_domains=True) == once
    assert once.value.isascii() and once.value.count("@") == 1 and len(once.value) <= 254
    assert not any(sign in once.value for sign in '\r\n\0 <>,;"()[]')


def test_index_ignores_case():
    address, other = parse_address("Anna@Example.org"), parse_address("anna@EXAMPLE.ORG")
    assert address.value == "Anna@example.org"
    assert index_of(address, VAULT) == index_of(other, VAULT)
    assert index_of(address, VAULT) != index_of(parse_address("anne@example.org"), VAULT)


def test_repr_hides_address():
    assert "anna" not in f"{parse_address('anna@example.org')!r} {parse_address('anna@example.org')}"
