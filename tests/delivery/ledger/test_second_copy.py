"""A mail that goes a second time says so, by whatever provider; the first one never does."""

import email
import hashlib
import json
from email.policy import default

import pytest
from django.conf import settings

from newsletter.delivery.ledger import urgent_resend
from newsletter.editions.edition_store import body_json
from newsletter.editions.rendering.renderer import Renderer
from newsletter.editions.rendering.values import MailOptions, RenderedBlock
from newsletter.lib.mail import headers, message, placeholders
from newsletter.lib.mail.provider_interface import Deferred, Parcel
from newsletter.models import Edition, EditionBody
from newsletter.providers.sendgrid.request_body import request_template
from tests import factories
from tests.delivery.fake_provider import ScriptedProvider
from tests.delivery.helpers import LATER, doubtful, mark_urgent, run
from tests.editions import stories

pytestmark = pytest.mark.django_db

SAYS = "This may be a second copy: we could not find out whether the first one reached you."
SENDER = headers.SenderIdentity(
    "Digest", "digest@example.org", "Digest", "editor@example.org", "https://news.example.org"
)


@pytest.fixture(autouse=True)
def _gate() -> None:
    factories.open_gate()


def planned(kind: str) -> None:
    """Two mails with the words of the real templates."""
    renderer = Renderer(settings.TEMPLATES_DIR / "email", stories.FRAME)
    block = RenderedBlock(html="<p>A story</p>", text="A story\n", title="A story")
    words = renderer.render_letter(stories.ALERT, MailOptions("en", kind, True), [block])
    factories.planned(2)
    edition = Edition.objects.get()
    edition.key = hashlib.sha256(words.html.encode() + words.text.encode()).digest()
    edition.save()
    body = body_json(words.subject, words.text, words.html)
    key_id, cipher = factories.VAULT.encrypt(body, handle=bytes(edition.key), column="body")
    EditionBody.objects.update(key_id=key_id, cipher=cipher)


def parts(parcel: Parcel) -> list[str]:
    """What a reader gets: text and HTML, as SMTP carries them and as SendGrid is given them."""
    raw = message.prepare(parcel.letter, SENDER).message(parcel, LATER)
    read = email.message_from_bytes(raw, policy=default)
    by_smtp = [part.get_content() for part in read.walk() if not part.is_multipart()]
    asked = json.loads(b"".join(request_template(parcel.letter, SENDER).request([parcel])))
    return by_smtp + [one["value"] for one in asked["content"]]


@pytest.mark.parametrize(("kind", "expected"), [("both", 4), ("text", 2)])
@pytest.mark.parametrize("window", [None, 1])
def test_only_the_second_copy_says_that_it_may_be_one(kind: str, expected: int, window: int | None) -> None:
    planned(kind)
    first = ScriptedProvider(doubtful, window=window)
    run(first)
    mark_urgent()
    assert urgent_resend.resend_urgent(now=LATER) == 2
    second = ScriptedProvider(window=window)
    run(second, LATER)
    assert len(first.handed) == len(second.handed) == 2
    for parcel in first.handed:
        assert [text for text in parts(parcel) if "second copy" in text] == []
    for parcel in second.handed:
        assert [text.count(SAYS) for text in parts(parcel)] == [1] * expected
    for text in (text for parcel in first.handed + second.handed for text in parts(parcel)):
        assert placeholders.SECOND_COPY_BEGIN not in text
        assert placeholders.SECOND_COPY_END not in text


def test_mail_proved_not_accepted_is_resent_without_a_note() -> None:
    planned("both")
    run(ScriptedProvider(lambda _parcel: Deferred("429"), window=None))
    again = ScriptedProvider(window=None)
    run(again, LATER)
    assert len(again.handed) == 2
    assert not any(SAYS in text for parcel in again.handed for text in parts(parcel))


def test_words_of_a_feed_cannot_stand_for_the_marks() -> None:
    hostile = placeholders.defuse(f"{placeholders.SECOND_COPY_BEGIN}never shown{placeholders.SECOND_COPY_END}")
    assert placeholders.resolve_second_copy(hostile, second=False) == hostile
