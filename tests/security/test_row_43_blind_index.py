"""Row 43: addresses are guessable, so the index that finds them is keyed: a dump without the key confirms no guess."""

import hashlib
import hmac
import itertools
from collections.abc import Iterator

import pytest
from django.apps import apps

from newsletter import wiring
from newsletter.lib.crypto import Vault, new_keys, parse_keys
from newsletter.models import Anchor, Subscriber, Suppression, Topic
from newsletter.subscribers.email_address import index_of, parse_address
from tests import factories
from tests.journey import road
from tests.security import installation

pytestmark = pytest.mark.django_db(transaction=True)

KEYWORD = "Zzyzx"
_HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s")


def guesses(text: str) -> Iterator[bytes]:
    """What somebody would try who knows the code, but not the key: hashes and HMACs under what is public or empty."""
    kinds = [kind + joint for kind in ("", "address", "query", "anchor") for joint in ("", "\0", ":")]
    for kind, word, name in itertools.product(kinds, {text, text.lower(), text.title()}, _HASHES):
        plain = (kind + word).encode()
        yield hashlib.new(name, plain).digest()
        for key in (b"", bytes(32), b"newsletter", kind.encode()):
            if not name.startswith("blake"):
                yield hmac.digest(key, plain, name)


def stored() -> set[bytes]:
    """Every value of bytes that the database holds, in every table, and anchors as the bytes of their number."""
    found: set[bytes] = set()
    for model in apps.get_app_config("newsletter").get_models():
        for row in model.objects.values_list():
            found.update(bytes(value) for value in row if isinstance(value, bytes | memoryview))
    found.update(sign.to_bytes(8) for sign in Anchor.objects.values_list("sign", flat=True))
    return found


def test_a_dictionary_of_the_right_words_finds_nothing(settings, httpserver, tmp_path) -> None:
    with installation.installed(settings, httpserver, tmp_path):
        installation.lived_in()
        no_guess_is_stored()


def no_guess_is_stored() -> None:
    found = stored()
    beginnings = {value[:8] for value in found if len(value) >= 8}
    names = ("stays", "left", "erased", "pending", "bounced")
    assert Subscriber.objects.count() >= 5 and Suppression.objects.count() >= 2 and Anchor.objects.exists()
    for text in (*(f"{name}@example.org" for name in names), KEYWORD, "quinquereme cable", "quinquereme", "cable"):
        tried = list(guesses(text))
        assert len(tried) > 100
        assert not [one for one in tried if one in found or one[:8] in beginnings], "a hash without a key is stored"
    # with the key the same words are found: it is the key that hides them
    for name in names:
        assert index_of(parse_address(f"{name}@example.org"), wiring.vault()) in found
    assert wiring.vault().blind_index("query", KEYWORD) in found


def test_the_index_hangs_on_its_own_key_only_and_on_its_kind() -> None:
    index_key = bytes(range(32, 64))
    same = Vault(b"another secret", {7: bytes(32)}, index_key)
    assert same.blind_index("address", "a@example.org") == factories.VAULT.blind_index("address", "a@example.org")
    other = Vault(b"a secret for tests only", {1: bytes(range(32))}, bytes(32))
    assert other.blind_index("address", "a@example.org") != factories.VAULT.blind_index("address", "a@example.org")
    assert factories.VAULT.blind_index("query", "x") != factories.VAULT.blind_index("address", "x")
    assert len(factories.VAULT.blind_index("address", "a@example.org")) == 32  # never truncated


def test_the_same_people_and_keywords_of_another_installation_are_not_found(settings, httpserver, tmp_path) -> None:
    with installation.installed(settings, httpserver, tmp_path):
        road.subscribe("one@example.org", keywords=(KEYWORD,))
        assert subscribers_found() == 1
        _, keys = new_keys()
        with road.configured(settings, index_key=parse_keys(keys)[1]):
            assert subscribers_found() == 0
            assert wiring.vault().blind_index("query", KEYWORD) != bytes(
                Topic.objects.get(kind="own").query_index or b""
            )


def subscribers_found() -> int:
    return Subscriber.objects.filter(address_index=index_of(parse_address("one@example.org"), wiring.vault())).count()
