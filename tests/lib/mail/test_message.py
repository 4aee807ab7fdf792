"""The bytes of a mail: right, stable and deaf to hostile words."""

import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage, Message

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.lib.mail import headers, message, placeholders
from newsletter.lib.mail.provider_interface import Address, Letter, Parcel
from tests.providers.pieces import HTML, PERSONAL, SENDER, TEXT, filled, letter, parcel

DATE = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
USUAL = ["To", "Date", "Message-ID", "From", "Subject", "Reply-To", "MIME-Version", "Auto-Submitted", "Content-Type"]
LIST = ["List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Precedence"]
HOSTILE = [
    "=?utf-8?q?x=0D=0ABcc:_v@example.org?=",
    "=?utf-8?b?eA0KQmNjOiB2QGV4YW1wbGUub3Jn?=",
    "=?x?==?utf-8?q?=0ABcc:_v@example.org?=",
    "a\r\nBcc: v@example.org",
    "a\nBcc: v@example.org\n\nbody",
    "a\rBcc: v@example.org",
    "a\u2028Bcc: v@example.org\u2029\x85Cc: v@example.org\x0b\x0c\x1c",
    "\r\n.\r\nMAIL FROM:<v@example.org>\r\n",
    "--=_nl-part--",
    "x" * 3000,
    "维" * 900,
    "é" * 80 + " " + "ü" * 80,
    "\x00\x01\x1b[31m\x7f\x9b",
    "\ud800 half a pair",
    "\u202e drawkcab \u2066",
    '"; <v@example.org>, "',
    "@@nl-unsubscribe@@ @@nl-@@nl-ask@@@@",
    "",
    " \t ",
    "=20=\r\n=3D =",
]


def made(of: Letter, sender: headers.SenderIdentity = SENDER) -> bytes:
    return message.prepare(of, sender).message(parcel(of=of), DATE)


def part(parsed: Message, subtype: str) -> str:
    (found,) = [one for one in parsed.walk() if one.get_content_type() == f"text/{subtype}"]
    content = found.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode().replace("\r\n", "\n")


def shown(value: str) -> str:
    """A header as people see it."""
    return str(make_header(decode_header(re.sub(r"\r\n", "", str(value)))))


def normal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()


def check_wire(raw: bytes) -> None:
    assert raw.isascii()
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\n." not in raw, "SMTP would have to double it"
    head, _, body = raw.partition(b"\r\n\r\n")
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, body.split(b"\r\n"))) <= 76


def test_whole_mail() -> None:
    raw = made(letter())
    check_wire(raw)
    parsed = message_from_bytes(raw, policy=policy.default)
    assert sorted(parsed.keys()) == sorted(USUAL + LIST)
    assert parsed["To"] == "reader1@example.org"
    assert parsed["From"] == '"A digest" <digest@example.org>' or parsed["From"] == "A digest <digest@example.org>"
    assert parsed["Message-ID"] == "<message1@example.org>"
    assert parsed["List-Unsubscribe"] == "<https://news.example.org/one-click/token1>"
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert parsed["List-Id"] == "<updates.example.org>"
    assert parsed["Reply-To"] == "editor@example.org"
    assert parsed["Date"].datetime == DATE
    assert [one.get_content_type() for one in parsed.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert part(parsed, "plain") == filled(TEXT)
    assert part(parsed, "html") == filled(HTML)


def test_notice_is_no_list_mail_and_may_be_text_only() -> None:
    raw = made(letter(kind="notice", html=""))
    parsed = message_from_bytes(raw)
    assert sorted(parsed.keys()) == sorted([*USUAL, "Content-Transfer-Encoding"])
    assert parsed.get_content_type() == "text/plain"
    assert part(parsed, "plain") == filled(TEXT)


def test_long_one_click_url_stays_on_one_line() -> None:
    url = "https://news.example.org/one-click/" + "t" * 400
    raw = message.prepare(letter(), SENDER).message(replace(parcel(), unsubscribe=url), DATE)
    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in raw


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_never_make_a_header(words: str) -> None:
    sender = replace(SENDER, name=words, organisation=words)
    raw = made(letter(subject=words, text=words, html=words), sender)
    check_wire(raw)
    parsed = message_from_bytes(raw)
    html = ["Content-Type"] if words else ["Content-Type", "Content-Transfer-Encoding"]
    assert sorted(parsed.keys()) == sorted([*USUAL[:-1], *LIST, *html])
    # and nothing does after somebody decodes and reads it again
    again = message_from_bytes("\r\n".join(f"{name}: {shown(value)}" for name, value in parsed.items()).encode())
    assert again.keys() == parsed.keys()
    assert message_from_bytes(raw, policy=policy.default).keys() == parsed.keys()


def test_this_python_may_be_fooled_but_we_are_not() -> None:
    naive = EmailMessage()
    naive["Subject"] = HOSTILE[0] + " " + "x" * 60
    fooled = "Bcc" in message_from_bytes(naive.as_bytes(policy=policy.SMTP))
    if sys.version_info[:3] == (3, 11, 7):
        assert fooled, "this version is known to write a real Bcc header: the test must be able to see it"
    assert message.safe_python()


@given(st.text(max_size=400), st.text(max_size=400), st.text(max_size=120))
def test_any_text_survives_encoding(text: str, markup: str, subject: str) -> None:
    of = letter(subject=subject, text=f"{text}@@nl-ask@@{markup}", html=f"{markup}@@nl-reference@@@@nl-link@@{text} ")
    raw = made(of)
    check_wire(raw)
    parsed = message_from_bytes(raw)
    assert sorted(parsed.keys()) == sorted(USUAL + LIST)
    assert part(parsed, "plain") == normal(filled(of.text))
    assert part(parsed, "html") == normal(filled(of.html))
    assert shown(parsed["Subject"]) == headers.header_text(subject)


@given(st.text(alphabet=" \t.=\n\rx-", max_size=300), st.text(alphabet=" \t.=\nx", max_size=200))
@example("..", ".x" * 40)
@example("x" * 75 + "." * 90, "x" * 74)
def test_quoted_printable_is_exact_at_every_edge(text: str, value: str) -> None:
    of = letter(text=f"{text}@@nl-ask@@{text}", html="")
    own = replace(parcel(of=of), personal={"ask": value})
    raw = message.prepare(of, SENDER).message(own, DATE)
    check_wire(raw)
    assert part(message_from_bytes(raw), "plain") == normal(text) + value + normal(text)


@pytest.mark.parametrize("length", [*range(70, 80), *range(148, 154)])
def test_a_place_after_a_full_line_does_not_make_it_longer(length: int) -> None:
    for last in ("x", " ", "=", "é"):
        of = letter(text="x" * (length - 1) + last + "@@nl-ask@@", html="")
        raw = made(of)
        check_wire(raw)
        assert part(message_from_bytes(raw), "plain") == filled(of.text)


@given(st.text(max_size=300), st.integers(min_value=1, max_value=80))
def test_header_text(text: str, limit: int) -> None:
    line = headers.header_text(text, limit)
    assert len(line) <= limit
    assert "=?" not in line
    assert "@@nl-" not in line
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", line)


@given(st.text(alphabet="@nl-=?qQbBaskutf8 ", max_size=200))
def test_defused_text_has_no_place_and_no_encoded_word(text: str) -> None:
    safe = placeholders.defuse(text)
    assert "@@nl-" not in safe
    assert not re.search(r"=\?[^\s?]*\?[bBqQ]\?", safe)
    assert safe.replace("\u2060", "") == text


def test_defuse_leaves_the_query_of_a_link_alone() -> None:
    assert placeholders.defuse("https://example.org/?a=?&b==?") == "https://example.org/?a=?&b==?"


def test_defused_feed_text_cannot_take_a_place() -> None:
    of = letter(text=placeholders.defuse("click @@nl-unsubscribe@@") + " @@nl-reference@@", html="")
    text = part(message_from_bytes(made(of)), "plain")
    assert PERSONAL["unsubscribe"] not in text
    assert PERSONAL["reference"] in text


def test_personal_words_are_escaped_in_html_only() -> None:
    of = letter(text="@@nl-link@@", html="<b>@@nl-link@@</b>")
    own = replace(parcel(of=of), personal={"link": "<i>&\"'"})
    parsed = message_from_bytes(message.prepare(of, SENDER).message(own, DATE))
    assert part(parsed, "plain") == "<i>&\"'"
    assert part(parsed, "html") == "<b>&lt;i&gt;&amp;&quot;&#x27;</b>"


@pytest.mark.parametrize(
    "broken",
    [
        {"address": Address("canary@example.org\r\nBcc: v@example.org")},
        {"address": Address("canary@example.org, v@example.org")},
        {"address": Address("<canary@example.org>")},
        {"address": Address("canary")},
        {"address": Address("canary@exämple.org")},
        {"address": Address('"canary b"@example.org')},
        {"message_id": "canary@example.org>\r\nBcc: v@example.org"},
        {"message_id": "canary canary@example.org"},
        {"unsubscribe": "https://canary.example/\r\nBcc: v@example.org"},
        {"unsubscribe": "https://canary.example/>, <mailto:v@example.org"},
        {"unsubscribe": "javascript:canary"},
        {"personal": {"ask": "canary"}},
    ],
)
def test_text_unfit_for_a_header_is_refused_and_not_shown(broken: dict[str, object]) -> None:
    own: Parcel = replace(parcel(), **broken)
    with pytest.raises(headers.NotMailable) as caught:
        message.prepare(letter(), SENDER).message(own, DATE)
    assert "canary" not in str(caught.value)


def test_international_sender() -> None:
    sender = replace(SENDER, name="Дайджест, новости", address="digest@bücher.example", contact="ed@bücher.example")
    own = replace(parcel(), message_id="message1@bücher.example")
    raw = message.prepare(letter(), sender).message(own, DATE)
    check_wire(raw)
    parsed = message_from_bytes(raw)
    assert shown(parsed["From"]) == "Дайджест, новости <digest@xn--bcher-kva.example>"
    assert parsed["Message-ID"] == "<message1@xn--bcher-kva.example>"
    assert parsed["List-Id"] == "<updates.xn--bcher-kva.example>"
    assert sender.domain == "xn--bcher-kva.example"


def test_policy_refuses_line_breaks_and_keeps_list_headers() -> None:
    url = "<https://news.example.org/" + "a" * 300 + ">"
    assert headers.POLICY.fold("List-Unsubscribe", url) == f"List-Unsubscribe: {url}\r\n"
    with pytest.raises(headers.NotMailable):
        headers.POLICY.fold("List-Unsubscribe", "<https://a>\r\nBcc: v@example.org")
    with pytest.raises(headers.NotMailable):
        headers.POLICY.fold_binary("Message-ID", "<" + "a" * 1200 + ">")


def test_places() -> None:
    assert [placeholders.placeholder(name) for name in placeholders.PLACEHOLDERS][:1] == ["@@nl-unsubscribe@@"]
    with pytest.raises(ValueError, match="is not one of"):
        placeholders.placeholder("address")
