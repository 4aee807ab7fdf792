"""Row 8: words of a feed, or of whoever set the service up, become no header of a mail."""

import re
from email.header import decode_header, make_header

import pytest

from newsletter.lib.mail import message
from tests.security import hostile_feed

pytestmark = pytest.mark.django_db(transaction=True)

HEADERS = {
    *("To", "Date", "Message-ID", "From", "Subject", "Reply-To", "MIME-Version", "Auto-Submitted", "Content-Type"),
    *("List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Precedence"),
}
#: Each in one mail: its subject and the name it comes from. tests/lib/mail/test_message.py has many more.
WORDS = (
    "=?utf-8?q?x=0D=0ABcc:_v@evil.example?=",
    "x\nBcc: v@evil.example&#13;&#10;Bcc: w@evil.example\n\n<h1>body</h1>",
    "x\u2028Bcc: v@evil.example\u2029\x85Cc: v@evil.example" + "x" * 2_000,
)


@pytest.mark.parametrize("words", WORDS)
def test_a_hostile_title_in_the_subject_adds_no_header(settings, httpserver, words: str) -> None:
    """Python up to 3.12 decodes an encoded word, line breaks and all, when it writes a header (CVE-2024-6923)."""
    text = hostile_feed.feed(hostile_feed.post(words, ""), title=words)
    name = words.replace("\n", " ")[:200]
    with hostile_feed.mailed(settings, httpserver, text, sender_name=name, organisation=name) as mails:
        (mail,) = mails
        head = mail.raw.partition(b"\r\n\r\n")[0]
        assert {line.partition(b":")[0].decode() for line in head.split(b"\r\n") if line[:1] not in b" \t"} == HEADERS
        assert set(mail.message.keys()) == HEADERS
        assert mail.recipient == "reader@example.org"
        decoded = [
            str(make_header(decode_header(line))) for line in head.replace(b"\r\n ", b" ").decode().split("\r\n")
        ]
        assert not [line for line in decoded if re.search(r"[\r\n\x00]", line)], "nor one for whoever decodes it again"
        shown = f"{mail.message['Subject']} {mail.message['From']}".replace("\u2060", "")
        assert shown.isprintable() and "Bcc:" in shown, "it is still there, as text"


def test_a_python_that_can_be_fooled_is_told_by_the_check_at_the_start() -> None:
    assert message.safe_python()
