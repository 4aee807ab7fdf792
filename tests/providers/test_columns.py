"""Parcels as columns: whatever is checked or written for all at once is what it would be for each alone."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.lib.mail import headers
from newsletter.lib.mail.provider_interface import Address, Parcel, Parcels
from newsletter.providers.sendgrid.request_body import request_template
from tests.providers.pieces import SENDER, letter, parcel

PARTS = [
    "reader",
    "example.org",
    "@",
    "@",
    ".",
    "a" * 64,
    "b" * 200,
    "exämple",
    "bücher.example",
    " ",
    "\n",
    "\r\n",
    "\ud800",
]
PARTS += [
    "https://",
    "http://",
    "news.example.org/one-click/",
    "x" * 890,
    "<",
    ">",
    '"',
    "\\",
    "%s",
    "+",
    "=",
    "\0",
    "",
]
WORDS = st.lists(st.sampled_from(PARTS), max_size=5).map("".join)
ADDRESSES = st.sampled_from(["reader@example.org", f"{'a' * 64}@{'b' * 253}"]) | WORDS
MESSAGE_IDS = st.sampled_from(["m@example.org", "m@bücher.example", f"{'a' * 200}@{'b' * 253}"]) | WORDS
URLS = st.sampled_from([None, "https://news.example.org/a", f"http://{'x' * 900}"]) | WORDS
OWN = st.tuples(ADDRESSES, MESSAGE_IDS, URLS)


def made(number: int, own: tuple[str, str, str | None]) -> Parcel:
    address, message_id, url = own
    return replace(parcel(number), address=Address(address), message_id=message_id, unsubscribe=url)


def told(ask: Callable[[], Any]) -> Any:
    """What is given, or what is said against it."""
    try:
        return ask()
    except headers.NotMailable as error:
        return str(error)


@given(st.lists(OWN, max_size=4))
@example([("a@example.org\nb@example.org", "m@example.org", None)])
@example([("a@example.org\n", "m@example.org", "https://news.example.org/a\nhttps://news.example.org/b")])
@example([("a@example.org", "m@example.org", None), ("", "", "")])
def test_headers_of_all_are_fit_when_each_ones_are(owns: list[tuple[str, str, str | None]]) -> None:
    parcels = [made(number, own) for number, own in enumerate(owns)]
    each = told(lambda: [headers.HeaderFields.of(one) for one in parcels])
    whole = told(
        lambda: [headers.HeaderFields(*own) for own in zip(*headers.header_columns(Parcels.of(parcels)), strict=True)]
    )
    assert whole == each


@pytest.mark.parametrize("count", [1, 99, 100, 101, 200, 201])
def test_every_person_is_written_once_and_in_order(count: int) -> None:
    parcels = [parcel(number) for number in range(count)]
    people = json.loads(b"".join(request_template(letter(), SENDER).request(parcels)))["personalizations"]
    assert [one["to"] for one in people] == [[{"email": f"reader{number}@example.org"}] for number in range(count)]


@given(
    st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30) | st.none()), min_size=1, max_size=4), st.booleans()
)
def test_a_person_is_written_as_if_alone(words: list[tuple[str, str | None]], separate_tags: bool) -> None:
    of = letter(text="@@nl-ask@@ @@nl-link@@", html="<b>@@nl-ask@@</b>")
    parcels = [
        replace(
            parcel(number, of=of), opaque=opaque, personal={"ask": opaque} | ({} if link is None else {"link": link})
        )
        for number, (opaque, link) in enumerate(words)
    ]

    def people(some: list[Parcel]) -> list[Any]:
        request = request_template(of, SENDER, separate_tags=separate_tags).request(some)
        found: list[Any] = json.loads(b"".join(request))["personalizations"]
        return found

    def refused(ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except ValueError as error:
            return type(error)

    each = [refused(lambda one=one: people([one])) for one in parcels]
    bad = [one for one in each if isinstance(one, type)]
    whole = refused(lambda: people(parcels))
    if bad:
        assert whole in bad
    else:
        assert whole == [person for one in each for person in one]


def test_columns_are_the_same_parcels() -> None:
    parcels = [parcel(1), parcel(2, of=letter(kind="notice")), replace(parcel(3), message_id="m@example.org")]
    columns = Parcels.of(parcels)
    assert list(columns) == parcels
    assert columns[-1] == parcels[-1]
    assert columns[1:] == parcels[1:]
    assert Parcels.of(columns) is columns
    assert not Parcels.of([])
    assert "reader" not in repr(columns)
    assert "token" not in repr(columns)


def test_a_place_for_which_somebody_has_no_words_is_no_column() -> None:
    parcels = [parcel(1), replace(parcel(2), personal={"ask": "x", "link": "y"})]
    assert Parcels.of(parcels).personal.keys() == {"ask", "link"}
    with pytest.raises(headers.NotMailable, match="the personal place unsubscribe has no value"):
        request_template(letter(), SENDER).request(parcels)
