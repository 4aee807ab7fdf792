"""Parcels made for many at once are those made for each alone."""

from hypothesis import given
from hypothesis import strategies as st

from newsletter import links
from newsletter.delivery.barrier import Recipient
from newsletter.delivery.parcels import Letters, parcels
from newsletter.handover import Address, Letter, Parcel, Parcels
from tests.rows import VAULT

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

    def get(self, edition_id: int) -> Letter:
        return Letter(edition_id, "alert", f"Edition {edition_id}", "text", "html")


def made(recipients: list[Recipient]) -> Parcels:
    return parcels(
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
        assert links.read_reference(mail.personal["reference"]) == one.delivery_id
        person = (one.subscriber_id, one.link_epoch.to_bytes(2) + bytes(6))
        tokens = {
            name: mail.personal[name].removeprefix(links.url("https://news.example.org", name, ""))
            for name in ("unsubscribe", "ask")
        }
        assert {name: VAULT.read_token(name, token) for name, token in tokens.items()} == {
            "unsubscribe": person,
            "ask": person,
        }
        assert mail.unsubscribe == links.url("https://news.example.org", "one_click", tokens["unsubscribe"])
        assert VAULT.read_token("message", mail.message_id.removesuffix("@example.org")) == (one.delivery_id, bytes(8))
        assert VAULT.read_token("delivery", mail.opaque) == (one.delivery_id, bytes(8))


def test_a_recipient_does_not_show_the_address() -> None:
    assert "reader" not in repr(Recipient(1, 1, 1, "alert:1", 0, Address("reader@example.org")))
