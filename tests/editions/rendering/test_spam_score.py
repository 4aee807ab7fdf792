"""Every kind of mail as SpamAssassin's local rules see it. With TEST_SCORES=FILE the scores are written there."""

import os
import re
import subprocess
from datetime import UTC, datetime
from email import message_from_string
from pathlib import Path

from newsletter.editions.rendering.renderer import Renderer
from newsletter.editions.rendering.values import RenderedMail
from newsletter.lib.mail import headers, message, placeholders
from newsletter.lib.mail.provider_interface import Address, Letter, Parcel
from tests.editions import stories
from tests.editions.stories import ALERT, DAILY, FRAME, QUIET, TEMPLATES, TEXT, WEEKLY

RENDERER = Renderer(TEMPLATES, FRAME)
SENDER = headers.SenderIdentity(
    FRAME.sender, "digest@digest.example", FRAME.organisation, FRAME.contact, FRAME.base_url
)
TOKEN = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
PERSONAL = {name: f"https://news.example/{name}/{TOKEN}" for name in placeholders.PLACEHOLDERS} | {
    "reference": "7K3F-09QA-M2"
}
#: What the receiving server adds: rules look at where a mail came from, and know the addresses of documents like ours.
RECEIVED = (
    "Received: from mail.digest.example (mail.digest.example [93.184.216.34])\n"
    "\tby mx.example.org (Postfix) with ESMTPS id 4Q2vXk1Zz9z1\n"
    "\tfor <reader@example.org>; Sun, 29 Nov 2026 14:05:02 +0000 (UTC)\n"
)


def every_kind() -> dict[str, str]:
    """Name of each kind of mail → the mail as it is handed over."""
    mails = {}
    for form, look in (("HTML and text", QUIET), ("text only", TEXT)):
        blocks = stories.blocks(RENDERER, look)
        for name, dateline in (("alert", ALERT), ("daily digest", DAILY), ("weekly digest", WEEKLY)):
            mail = RENDERER.render_letter(dateline, look, blocks)
            mails[f"{name}, {form}"] = raw("alert" if dateline is ALERT else "digest", mail, len(mails))
        for kind in ("confirm", "add", "manage", "resumed", "moved"):
            mails[f"notice {kind}, {form}"] = raw("notice", RENDERER.render_notice(kind, look), len(mails))
    return mails


def raw(kind: str, mail: RenderedMail, number: int) -> str:
    letter = Letter(1, kind, mail.subject, mail.text, mail.html)
    one_click = None if kind == "notice" else f"https://news.example/one-click/{TOKEN}"
    parcel = Parcel(1, Address("reader@example.org"), letter, PERSONAL, f"{number:032}@digest.example", "a", one_click)
    made = message.prepare(letter, SENDER).message(parcel, datetime(2026, 11, 29, 14, 5, tzinfo=UTC))
    return RECEIVED + made.decode("ascii").replace("\r\n", "\n")


def scores(command: str, mails: dict[str, str], home: Path) -> dict[str, str]:
    """Name → the header X-Spam-Status. One process for all: its rules take seconds to read."""
    mbox = "".join(
        "From x Sun Nov 29 14:05:02 2026\n" + re.sub(r"(?m)^From ", ">From ", mail) + "\n" for mail in mails.values()
    )
    done = subprocess.run(
        [command, "--local", "--nocreate-prefs", "--cf=use_bayes 0", "--mbox"],
        input=mbox,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
    )
    names = list(mails)
    checked = [message_from_string(part) for part in re.split(r"(?m)^From .*\n", done.stdout)[1:]]
    return {
        names[int(mail["Message-ID"][1:].partition("@")[0])]: " ".join(mail["X-Spam-Status"].split())
        for mail in checked
    }


def test_no_kind_of_mail_looks_like_spam(spamassassin_path: str, tmp_path: Path) -> None:
    mails = every_kind()
    found = scores(spamassassin_path, mails, tmp_path)
    assert found.keys() == mails.keys()
    if where := os.environ.get("TEST_SCORES"):
        Path(where).write_text("".join(f"{name}: {found[name]}\n" for name in mails))
    score = {name: float(re.search(r"score=(-?[\d.]+)", status)[1]) for name, status in found.items()}
    assert {name: found[name] for name in mails if score[name] > 0} == {}
