"""Secrets: what is sealed opens only where it was sealed, tokens cannot be bent, errors never show a key."""

import base64

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from newsletter.lib import crypto, urls
from newsletter.lib.crypto import KeysDoNotFit, Vault
from tests.factories import VAULT


@given(st.text(), st.binary(min_size=16, max_size=16))
def test_ciphertext_decrypts_only_in_its_own_row_and_column(plain: str, handle: bytes) -> None:
    key_id, sealed = VAULT.encrypt(plain, handle=handle, column="address")
    assert VAULT.decrypt(key_id, sealed, handle=handle, column="address") == plain
    for other in ({"handle": handle[::-1] + b"x", "column": "address"}, {"handle": handle, "column": "query"}):
        with pytest.raises(KeysDoNotFit):
            VAULT.decrypt(key_id, sealed, **other)
    with pytest.raises(KeysDoNotFit):
        VAULT.decrypt(9, sealed, handle=handle, column="address")


def test_many_open_as_one_by_one_and_one_that_does_not_fails_all() -> None:
    stored = [
        (*VAULT.encrypt(f"reader{number}", handle=bytes([number]) * 16, column="address"), bytes([number]) * 16)
        for number in range(3)
    ]
    assert VAULT.decrypt_all(iter(stored), column="address") == ["reader0", "reader1", "reader2"]
    assert VAULT.decrypt_all([], column="address") == []
    (key_id, sealed, handle), *rest = stored
    for bad in ((9, sealed, handle), (None, None, handle), (key_id, sealed, bytes(16)[1:]), (key_id, b"", handle)):
        with pytest.raises(KeysDoNotFit) as caught:
            VAULT.decrypt_all([*rest, bad], column="address")
        assert "reader" not in str(caught.value)


@given(st.integers(0, 2**63), st.binary(min_size=8, max_size=8), st.integers(0, 127))
def test_a_token_leads_back_and_a_bent_one_does_not(number: int, check: bytes, bit: int) -> None:
    token = VAULT.token("notice", number, check)
    assert VAULT.read_token("notice", token) == (number, check)
    assert VAULT.read_token("unsubscribe", token) != (number, check)
    raw = bytearray(base64.urlsafe_b64decode(token + "=="))
    raw[bit // 8] ^= 1 << bit % 8
    bent = base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()
    assert VAULT.read_token("notice", bent) != (number, check)


@given(st.text(max_size=30))
def test_no_text_breaks_the_reader_of_tokens(text: str) -> None:
    assert VAULT.read_token("notice", text) is None  # 22 characters of base64 are not drawn by chance


@given(st.text(max_size=200), st.text(max_size=200))
def test_the_length_of_a_ciphertext_tells_steps_of_64_bytes_only(one: str, other: str) -> None:
    steps = [max(1, -(-len(text.encode()) // 64)) for text in (one, other)]
    lengths = [len(VAULT.encrypt(text, handle=b"h", column="c")[1]) - 12 - 16 for text in (one, other)]
    assert lengths == [64 * step for step in steps]


@given(st.text(max_size=200), st.binary(min_size=16, max_size=16))
def test_unpadded_ciphertext_of_older_versions_still_decrypts(plain: str, handle: bytes) -> None:
    nonce = bytes(12)
    sealed = nonce + AESGCM(bytes(range(32))).encrypt(nonce, plain.encode(), handle + b"address")
    assert VAULT.decrypt(1, sealed, handle=handle, column="address") == plain
    assert VAULT.decrypt(1, memoryview(sealed), handle=handle, column="address") == plain


def test_two_keys_open_and_the_newest_seals() -> None:
    older = {1: bytes(range(32))}
    both = Vault(b"s", {**older, 2: bytes(32)}, bytes(32))
    key_id, sealed = Vault(b"s", older, bytes(32)).encrypt("x", handle=b"h", column="c")
    assert both.decrypt(key_id, sealed, handle=b"h", column="c") == "x"
    assert both.encrypt("x", handle=b"h", column="c")[0] == 2


@pytest.mark.parametrize("bad", ["", "1:c2VjcmV0", "x:" + "A" * 44, "1:secret!", "index:" + "A" * 43 + "="])
def test_keys_that_cannot_be_read_are_not_shown(bad: str) -> None:
    with pytest.raises(ValueError) as error:
        crypto.parse_keys(bad)
    assert "c2VjcmV0" not in str(error.value)
    assert "secret!" not in str(error.value)


def test_a_vault_has_no_repr_of_its_keys() -> None:
    assert repr(VAULT) == "Vault(***)"


def test_urls_are_absolute() -> None:
    assert urls.url("https://news.example.org/", "confirm", "abc") == "https://news.example.org/confirm/abc"


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.binary(min_size=8, max_size=8)), max_size=20))
def test_many_tokens_are_those_of_one_by_one(pairs: list[tuple[int, bytes]]) -> None:
    tokens, others = VAULT.tokens(pairs, "delivery", "message")
    assert [VAULT.read_token("delivery", token) for token in tokens] == pairs
    assert tokens == [VAULT.token("delivery", number, check) for number, check in pairs]
    assert others == [VAULT.token("message", number, check) for number, check in pairs]
    with pytest.raises(ValueError, match="eight bytes"):
        VAULT.tokens([*pairs, (1, b"seven b")], "delivery")
