"""Parcels made for many at once are those made for each alone."""

from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.sending import messages as room
from newsletter.delivery.sending.messages import LetterCache, Letters, make_parcels
from newsletter.delivery.sending.recipients import Recipient
from newsletter.lib import urls
from newsletter.lib.mail.provider_interface import Address, Letter, Parcel, Parcels
from newsletter.lib.mail.references import read_reference
from newsletter.models import Edition, EditionBody
from tests import factories
from tests.factories import VAULT

NUMBERS = st.integers(1, 2**40 - 1)
RECIPIENTS = st.builds(
    Recipient,
    delivery_id=NUMBERS,
    subscriber_id=NUMBERS,
    edition_id=st.integers(1, 3),
    occasion_key=st.just("alert:1"),
    link_epoch=st.integers(0, 2**15 - 1),
    address=st.integers().map(lambda number: Address(f"reader{number}@example.org")),
)


class Known(Letters):
    """Letters that no database has."""

    def all(self, edition_ids: Iterable[int]) -> Mapping[int, Letter]:
        return {number: Letter(number, "alert", f"Edition {number}", "text", "html") for number in edition_ids}


def made(recipients: list[Recipient]) -> Parcels:
    return make_parcels(
        recipients, letters=Known(VAULT), vault=VAULT, base_url="https://news.example.org/", domain="example.org"
    )


@given(st.lists(RECIPIENTS, max_size=5))
def test_each_has_their_own_links_words_and_letter(recipients: list[Recipient]) -> None:
    found: list[Parcel] = list(made(recipients))
    assert found == [made([one])[0] for one in recipients]
    for one, mail in zip(recipients, found, strict=True):
        assert (mail.delivery_id, mail.address, mail.letter.edition_id) == (
            one.delivery_id,
            one.address,
            one.edition_id,
        )
        assert read_reference(mail.personal["reference"], VAULT) == one.delivery_id
        person = (one.subscriber_id, one.link_epoch.to_bytes(2) + bytes(6))
        tokens = {
            name: mail.personal[name].removeprefix(urls.url("https://news.example.org", name, ""))
            for name in ("unsubscribe", "ask")
        }
        assert {name: VAULT.read_token(name, token) for name, token in tokens.items()} == {
            "unsubscribe": person,
            "ask": person,
        }
        assert mail.unsubscribe == urls.url("https://news.example.org", "one_click", tokens["unsubscribe"])
        assert VAULT.read_token("message", mail.message_id.removesuffix("@example.org")) == (one.delivery_id, bytes(8))
        assert VAULT.read_token("delivery", mail.opaque) == (one.delivery_id, bytes(8))


def test_a_recipient_does_not_show_the_address() -> None:
    assert "reader" not in repr(Recipient(1, 1, 1, "alert:1", 0, Address("reader@example.org")))


def editions(count: int) -> list[int]:
    for _ in range(count):
        factories.planned(1)
    return list(Edition.objects.order_by("id").values_list("id", flat=True))


@pytest.mark.django_db
def test_letters_of_many_editions_are_asked_for_together(django_assert_num_queries) -> None:
    wanted = editions(5)
    cache = LetterCache()
    letters = Letters(VAULT, cache)
    with django_assert_num_queries(1 if room.db.is_postgres() else 2):  # on PostgreSQL one goes by psycopg itself
        found = letters.all([*wanted, wanted[0]])
    assert [found[number].edition_id for number in wanted] == wanted
    with django_assert_num_queries(0):
        assert letters.all(wanted) is found
    with django_assert_num_queries(
        0 if room.db.is_postgres() else 1
    ):  # another batch: opened before, if still the same
        assert Letters(VAULT, cache).all(wanted) == found


@pytest.mark.django_db
def test_no_more_letters_are_kept_than_there_is_room_for() -> None:
    cache = LetterCache(size=3)
    wanted = editions(5)
    assert list(Letters(VAULT, cache).all(wanted)) == wanted
    assert [key.edition_id for key in cache._letters] == wanted[2:]


@pytest.mark.django_db
def test_words_that_are_not_there_are_missed() -> None:
    wanted = editions(2)
    EditionBody.objects.filter(edition_id=wanted[1]).delete()
    with pytest.raises(EditionBody.DoesNotExist):
        Letters(VAULT).all(wanted)
    assert Letters(VAULT).all(wanted[:1])
