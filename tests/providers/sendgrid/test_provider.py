"""SendGrid: one request, one outcome, and nobody shown to anybody."""

import html
import logging
import socket
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPMessage
from typing import Any

import pytest
import sendgrid
from hypothesis import example, given
from hypothesis import strategies as st
from python_http_client.exceptions import NotFoundError

from newsletter.lib.mail.provider_interface import Accepted, Deferred, Outcome, Rejected, Unknown
from newsletter.providers.sendgrid import provider as provider_module
from newsletter.providers.sendgrid.provider import SendGrid, outcome_of, retry_after
from newsletter.providers.sendgrid.request_body import request_template
from tests.fakes.sendgrid import FakeSendGrid
from tests.fakes.sendgrid_rules import complaints
from tests.providers.pieces import HTML, SENDER, TEXT, body, filled, letter, parcel

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)


def reach(fake: FakeSendGrid, **more: Any) -> SendGrid:
    return SendGrid(fake.key, SENDER, **{"url": fake.url, "timeout": 5.0} | more)


def one(outcomes: dict[int, Outcome]) -> Outcome:
    """The outcome that all share."""
    (shared,) = set(outcomes.values())
    return shared


#: What the server does → what we make of two parcels, and whether it took them.
TABLE: list[tuple[str, Outcome, bool]] = [
    ("400", Rejected("400: personalizations.0.to.0.email", split=True), False),
    ("413", Rejected("413: personalizations.0.to.0.email", split=True), False),
    ("401", Deferred("401: check the key, its rights, and that the sender is verified", pause=True), False),
    ("403", Deferred("403: check the key, its rights, and that the sender is verified", pause=True), False),
    ("404", Deferred("404: check NEWSLETTER_SENDGRID_URL", pause=True), False),
    ("405", Deferred("405: check NEWSLETTER_SENDGRID_URL", pause=True), False),
    ("408", Deferred("408: the request did not arrive whole"), False),
    ("429", Deferred("429: too many requests"), False),
    ("301", Deferred("301: check NEWSLETTER_SENDGRID_URL", pause=True), False),
    ("307", Deferred("307: check NEWSLETTER_SENDGRID_URL", pause=True), False),
    ("308", Deferred("308: check NEWSLETTER_SENDGRID_URL", pause=True), False),
    ("302", Unknown("answered 302"), False),
    ("303", Unknown("answered 303"), False),
    ("500", Unknown("answered 500"), False),
    ("502", Unknown("answered 502"), False),
    ("503", Unknown("answered 503"), False),
    ("504", Unknown("answered 504"), False),
    ("half", Unknown("no whole answer: RemoteProtocolError"), False),
    ("cut", Unknown("no whole answer: RemoteProtocolError"), False),
    ("accept-500", Unknown("answered 500"), True),
    ("accept-200", Unknown("answered 200"), True),
    ("accept-half", Unknown("no whole answer: RemoteProtocolError"), True),
    ("accept-cut", Unknown("no whole answer: RemoteProtocolError"), True),
]


@pytest.mark.parametrize(("mode", "expected", "taken"), TABLE)
def test_outcome_of_each_answer(mode: str, expected: Outcome, taken: bool) -> None:
    with FakeSendGrid() as fake:
        fake.script(mode)
        outcomes = reach(fake).hand_over([parcel(1), parcel(2)])
        assert one(outcomes) == expected
        assert list(outcomes) == [1, 2]
        assert len(fake.accepted) == (2 if taken else 0)
        assert [request.path for request in fake.requests] == ["/v3/mail/send"]


@pytest.mark.parametrize("mode", ["drop", "accept-drop", "slow:2"])
def test_no_answer_is_unknown(mode: str) -> None:
    with FakeSendGrid() as fake:
        fake.script(mode)
        outcome = one(reach(fake, timeout=0.4).hand_over([parcel(1), parcel(2)]))
        assert isinstance(outcome, Unknown)
        assert len(fake.accepted) == (0 if mode == "drop" else 2)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_never_connected_is_proof(scheme: str) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        provider = SendGrid("key", SENDER, url=f"{scheme}://127.0.0.1:{held.getsockname()[1]}")
        assert one(provider.hand_over([parcel(1)])) == Deferred("no connection: ConnectionRefusedError")
    assert isinstance(one(SendGrid("key", SENDER, url=f"{scheme}://nowhere.invalid").hand_over([parcel(1)])), Deferred)


def test_failed_handshake_is_proof() -> None:
    with FakeSendGrid() as fake:  # speaks no TLS
        outcome = one(SendGrid("key", SENDER, url=fake.url.replace("http:", "https:")).hand_over([parcel(1)]))
        assert isinstance(outcome, Deferred)
        assert fake.requests == []


def test_silent_handshake_is_proof() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        provider = SendGrid("key", SENDER, url=f"https://127.0.0.1:{held.getsockname()[1]}", timeout=0.2)
        assert one(provider.hand_over([parcel(1)])) == Deferred("no connection: TimeoutError")


def test_reset_after_the_request_began_is_unknown() -> None:
    """A connection that came to be and ended before an answer proves nothing, however early."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        provider = SendGrid("key", SENDER, url=f"http://127.0.0.1:{held.getsockname()[1]}", timeout=0.2)
        large = letter(text="x" * 20_000_000)  # more than sockets hold: the time-out comes while sending
        assert isinstance(one(provider.hand_over([parcel(1, of=large)])), Unknown)


def test_each_person_reads_their_own_mail() -> None:
    with FakeSendGrid() as fake:
        outcome = one(reach(fake).hand_over([parcel(number) for number in range(1, 501)]))
        assert fake.complaints == []
        assert isinstance(outcome, Accepted)
        assert outcome.ref
        assert len(fake.requests) == 1
        assert [mail.recipient for mail in fake.mails] == [f"reader{number}@example.org" for number in range(1, 501)]
        second = fake.mails[1]
        assert (second.text, second.html, second.subject) == (filled(TEXT), filled(HTML), "Your update")
        assert second.custom_args == {"d": "opaque-0002"}
        assert second.headers == {
            "Message-ID": "<message2@example.org>",
            "List-Unsubscribe": "<https://news.example.org/one-click/token2>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "List-Id": "<updates.example.org>",
            "Precedence": "bulk",
            "Auto-Submitted": "auto-generated",
        }


def test_notice_and_text_only() -> None:
    with FakeSendGrid() as fake:
        reach(fake).hand_over([parcel(of=letter(kind="notice", html=""))])
        (mail,) = fake.mails
        assert mail.headers.keys() == {"Message-ID", "Auto-Submitted"}
        assert (mail.text, mail.html) == (filled(TEXT), "")


def test_one_tag_serves_text_and_html_until_a_value_needs_escaping() -> None:
    of = letter(text="@@nl-link@@", html="<b>@@nl-link@@</b>")
    plain, marked = (
        replace(parcel(number, of=of), personal={"link": words}) for number, words in ((1, "a"), (2, "<i>"))
    )
    with FakeSendGrid() as fake:
        provider = reach(fake)
        for parcels in ([plain], [plain, marked], [plain]):
            provider.hand_over(parcels)
        assert [len(request.body["personalizations"][0]["substitutions"]) for request in fake.requests] == [1, 2, 2]
        assert [mail.html for mail in fake.mails] == ["<b>a</b>", "<b>a</b>", "<b>&lt;i&gt;</b>", "<b>a</b>"]
    with pytest.raises(ValueError, match="a tag of their own"):
        request_template(of, SENDER).request([marked])


def test_personal_words_are_escaped_in_html_only() -> None:
    with FakeSendGrid() as fake:
        of = letter(text="@@nl-link@@", html="<b>@@nl-link@@</b>")
        reach(fake).hand_over([replace(parcel(of=of), personal={"link": "<i>&"})])
        assert (fake.mails[0].text, fake.mails[0].html) == ("<i>&", "<b>&lt;i&gt;&amp;</b>")


def test_sender_with_a_comma_is_one_sender() -> None:
    with FakeSendGrid() as fake:
        sender = replace(SENDER, name='News; views, "and" more', contact="ed@bücher.example")
        SendGrid(fake.key, sender, url=fake.url).hand_over([parcel()])
        assert fake.complaints == []
        assert fake.mails[0].reply_to == "ed@xn--bcher-kva.example"


def test_bad_parcel_splits_the_batch_and_alone_is_refused() -> None:
    bad = parcel(2, address="a@example.org, b@example.org")
    with FakeSendGrid(refused=frozenset({"reader3@example.org"})) as fake:
        provider = reach(fake)
        assert one(provider.hand_over([parcel(1), bad])) == Rejected(
            "the address is not one that mail can be sent to", split=True
        )
        assert one(provider.hand_over([bad])) == Rejected("the address is not one that mail can be sent to")
        assert fake.requests == []
        assert one(provider.hand_over([parcel(1), parcel(3)])) == Rejected(
            "400: personalizations.1.to.0.email", split=True
        )
        assert one(provider.hand_over([parcel(3)])) == Rejected("400: personalizations.0.to.0.email")
        assert fake.accepted == []


def test_limits() -> None:
    with FakeSendGrid() as fake:
        provider = reach(fake)
        assert one(provider.hand_over([parcel(number) for number in range(1001)])) == Rejected(
            "more than 1000 people in one request", split=True
        )
        assert provider.hand_over([]) == {}
        with pytest.raises(ValueError, match="one letter"):
            provider.hand_over([parcel(1), parcel(2, of=letter(edition=2))])
        assert fake.requests == []


@pytest.mark.parametrize("key", ["", "a b", "a\nb", "schlüssel"])
def test_key_is_checked_and_not_shown(key: str) -> None:
    with pytest.raises(ValueError, match="NEWSLETTER_SENDGRID_API_KEY") as caught:
        SendGrid(key, SENDER)
    assert not key or key not in str(caught.value)


def test_429_says_when() -> None:
    with FakeSendGrid() as fake:
        fake.script("429", reset=30)
        outcome = one(reach(fake).hand_over([parcel()]))
        assert isinstance(outcome, Deferred)
        assert outcome.retry_after is not None
        assert 28 <= outcome.retry_after <= 31


@pytest.mark.parametrize(
    ("given_headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 60)}, 60.0),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 60), "Date": "Tue, 24 Nov 2026 07:00:50 GMT"}, 10.0),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) - 60)}, 1.0),
        ({"X-RateLimit-Reset": "9" * 400}, 3600.0),
        ({"Retry-After": "soon", "X-RateLimit-Reset": "-5"}, None),
        ({"Retry-After": "²"}, None),
        ({"Retry-After": "2.5"}, 2.5),
        ({"Retry-After": "Tue, 24 Nov 2026 07:00:53 GMT", "Date": "Tue, 24 Nov 2026 07:00:50 GMT"}, 3.0),
        ({"Retry-After": "Tue, 24 Nov 2026 07:00:53 -0000", "Date": "Tue, 24 Nov 2026 07:00:50 GMT"}, 3.0),
        ({"Retry-After": "Mon, 01 Jan 0001 00:00:00 GMT"}, 1.0),
        ({"Retry-After": "0"}, 1.0),
        ({"X-RateLimit-Reset": "3"}, 3.0),
        ({"X-RateLimit-Reset": str((int(NOW.timestamp()) + 3) * 1000)}, 3.0),
        ({"X-RateLimit-Reset": "nan"}, None),
    ],
)
def test_retry_after(given_headers: dict[str, str], seconds: float | None) -> None:
    headers = HTTPMessage()
    for name, value in given_headers.items():
        headers[name] = value
    assert retry_after(headers, NOW) == seconds


@given(st.integers(min_value=100, max_value=599), st.binary(max_size=60), st.booleans())
def test_only_202_is_yes_and_nothing_of_the_answer_is_quoted(status: int, answer: bytes, several: bool) -> None:
    headers = HTTPMessage()
    headers["X-Message-Id"] = "canary@example.org"
    outcome = outcome_of(status, headers, answer, several=several, now=NOW)
    assert isinstance(outcome, Accepted) == (status == 202)
    assert "canary" not in repr(outcome)
    if status < 300 or status >= 500:
        assert isinstance(outcome, Accepted | Unknown)  # never a proof that is none
    if isinstance(outcome, Rejected):
        assert outcome.split == several


def test_redirect_is_not_followed_where_the_package_alone_would_follow() -> None:
    with FakeSendGrid() as fake:
        fake.script("302")
        reach(fake).hand_over([parcel()])
        assert [request.path for request in fake.requests] == ["/v3/mail/send"]
        fake.requests.clear()
        with pytest.raises(NotFoundError):
            sendgrid.SendGridAPIClient(fake.key, host=fake.url).client.mail.send.post(request_body={})
        assert [request.path for request in fake.requests] == ["/v3/mail/send", "/elsewhere"]
        assert fake.requests[1].headers["Authorization"] == f"Bearer {fake.key}"


def test_package_prints_the_key_at_debug_and_we_do_not(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with FakeSendGrid() as fake:
        for name in ("python_http_client", "python_http_client.client"):
            logging.getLogger(name).setLevel(logging.DEBUG)
        sendgrid.SendGridAPIClient(fake.key, host=fake.url).client.mail.send.post(request_body=body([parcel()], SENDER))
        assert fake.key in caplog.text
        caplog.clear()
        reach(fake).hand_over([parcel()])
        assert len(fake.accepted) == 2
        assert fake.key not in caplog.text
        assert "reader1" not in caplog.text


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=100), st.text(max_size=100))
@example('"%s" \\ <b>&', "%(name)s%", "%d", "\"\\u0041 % <b>&'\n\x7f\ud800")
def test_any_text_makes_a_valid_request(text: str, markup: str, subject: str, own: str) -> None:
    of = letter(text=f"{text}@@nl-ask@@", html=f"{markup}@@nl-ask@@", subject=subject)
    url = 'https://news.example.org/"one\\click"/%s'
    parcels = [parcel(1, of=of), replace(parcel(2, of=of), personal={"ask": own}, unsubscribe=url)]
    request = body(parcels, replace(SENDER, name=subject))
    assert complaints(request) == []
    clean = own.encode("utf-8", "replace").decode()
    second = request["personalizations"][1]
    assert second["substitutions"] == {"@@nl-ask@@": clean, "@@nl-html-ask@@": html.escape(clean)}
    assert second["headers"]["List-Unsubscribe"] == f"<{url}>"
    assert second["custom_args"] == {"d": "opaque-0002"}


@pytest.mark.parametrize("own_bounces", [True, False])
def test_sendgrids_list_of_bounces_is_passed_by_only_where_events_keep_ours(own_bounces: bool) -> None:
    with FakeSendGrid() as fake:
        assert isinstance(one(reach(fake, own_bounces=own_bounces).hand_over([parcel(1)])), Accepted)
        assert ("mail_settings" in fake.requests[0].body) == own_bounces


@pytest.mark.parametrize(
    ("words", "fits"), [("x" * 7_900, True), ("é" * 3_900, True), ("x" * 8_000, False), ("é" * 4_000, False)]
)
def test_own_words_have_a_limit_in_bytes_and_too_long_ones_stop_nobody_else(words: str, fits: bool) -> None:
    of = letter(text="@@nl-ask@@", html="")
    long = replace(parcel(2, of=of), personal={"ask": words})
    with FakeSendGrid() as fake:
        provider = reach(fake)
        if fits:
            assert isinstance(one(provider.hand_over([parcel(1, of=of), long])), Accepted)
            assert fake.mails[1].text == words
        else:
            why = "one person's own words are longer than 8,000 bytes"
            assert one(provider.hand_over([parcel(1, of=of), long])) == Rejected(why, split=True)
            assert one(provider.hand_over([long])) == Rejected(why)
            assert isinstance(one(provider.hand_over([parcel(1, of=of)])), Accepted)


def test_request_that_is_too_large_is_split_before_it_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    size = sum(map(len, request_template(letter(), SENDER).request([parcel(1)])))
    monkeypatch.setattr(provider_module, "MOST_IN_ALL", size + 1)
    with FakeSendGrid() as fake:
        provider = reach(fake)
        assert one(provider.hand_over([parcel(1), parcel(2)])) == Rejected("larger than 30 MB", split=True)
        assert isinstance(one(provider.hand_over([parcel(1)])), Accepted)
        assert one(provider.hand_over([parcel(1, of=letter(text="x" * 3_000))])) == Rejected("larger than 30 MB")


def test_a_letter_is_encoded_once_and_another_one_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    encode = provider_module.request_template
    monkeypatch.setattr(
        provider_module,
        "request_template",
        lambda of, *more, **named: made.append(of.edition_id) or encode(of, *more, **named),
    )
    with FakeSendGrid() as fake:
        provider = reach(fake)
        for edition in (1, 1, 2, 2, 1):
            provider.hand_over([parcel(1, of=letter(edition=edition, subject=f"Edition {edition}"))])
        assert made == [1, 2, 1]
        assert [mail.subject for mail in fake.mails] == [f"Edition {edition}" for edition in (1, 1, 2, 2, 1)]


def test_several_places_of_one_person_share_the_limit() -> None:
    both = replace(parcel(), personal=dict.fromkeys(("unsubscribe", "ask", "reference"), "x" * 3_000))
    with FakeSendGrid() as fake:
        assert isinstance(one(reach(fake).hand_over([both])), Rejected)
        assert fake.requests == []
