"""Row 9: words of a feed end no mail and begin no other one on the way to a mail server."""

import pytest

from tests.security import hostile_feed

pytestmark = pytest.mark.django_db(transaction=True)

ENDS = (
    "\n.\n",
    "\r\n.\r\n",
    "\r.\r",
    "\n.\r\n",
    "\r\n.\n",
    "\r\n.\r",
    "\u2028.\u2028",
    "\x85.\x85",
    "&#13;.&#13;&#10;",
    "\n..\n",
)
NEXT = "MAIL FROM:<v@evil.example>\r\nRCPT TO:<w@evil.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n"


def test_what_looks_like_the_end_of_a_mail_stays_within_it(settings, httpserver) -> None:
    """By the bytes that a real server was sent: some servers take a lone CR or LF for a line end (CVE-2023-51764)."""
    posts = [hostile_feed.post(f"About Uyghur {n}", f"<pre>a{end}{NEXT}</pre>") for n, end in enumerate(ENDS)]
    with hostile_feed.mailed(settings, httpserver, hostile_feed.feed(*posts)) as mails:
        (mail,) = mails
        assert (mail.recipient, mail.sender.partition("@")[2]) == ("reader@example.org", "localhost")
        assert b"\r" not in mail.raw.replace(b"\r\n", b"") and b"\n" not in mail.raw.replace(b"\r\n", b"")
        assert b"\n." not in mail.raw, "there is no line that would need its dot doubled"
        assert mail.raw.isascii() and max(map(len, mail.raw.split(b"\r\n"))) <= 998
        assert "\n.MAIL" in mail.text and "\n..\n" in mail.text, "no server takes a dot away"
        assert mail.text.count("smuggled") == len(ENDS), "all of it is there, as text"
