"""What journeys share: a digest feed of our own on a real HTTP server, people who follow it, and the doors an admin uses."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import escape
from typing import Any
from urllib.parse import urlsplit

from pytest_httpserver import HTTPServer

from newsletter import delivery_wiring, edition_wiring, wiring
from newsletter.config.config import Config
from newsletter.feeds.catalogue import manage
from newsletter.lib import db
from newsletter.matching.topics import topic_status, topics
from newsletter.models import Cadence
from newsletter.subscribers.admin_subscribe import AddedSubscriber, subscribe_directly
from newsletter.subscribers.choices import Choices
from newsletter.subscribers.email_address import parse_address
from newsletter.worker import startup
from tests.factories import ACTOR
from tests.fakes import sendgrid, smtp

#: (title, paragraphs, source line): two meet Uyghur, one meets Huawei, one nobody.
ARTICLES = (
    (
        "Cameras that sort passers-by",
        "A research group read the code of a camera maker and found a label for Uyghur faces.\n\n"
        "The maker’s rivals sell Uighurs’ towns the same thing, the group writes.",
        "Source: Example Wire, November 20, 2026",
    ),
    (
        "Names of Uighur guests were passed on",
        "A former clerk says that lists of guests went to the embassy before every session.",
        "Source: Field Radio, November 19, 2026",
    ),
    (
        "A cable under the sea",
        "The fourth largest builder was once a part of Huawei’s group; “no risk”, says its new owner.",
        "Source: Harbour Post, November 18, 2026",
    ),
    (
        "Banks report smaller profits",
        "Five large banks lent more and earned less in the third quarter.",
        "Source: Huawei Uyghur Gazette, November 17, 2026",
    ),
)


def body(paragraphs: str, source: str, number: int) -> str:
    url = f"https://original.example/{number}/uyghur-huawei"
    text = "".join(f"<p>{escape(part)}</p>\n" for part in paragraphs.split("\n\n"))
    return f'{text}<p>{escape(source)}<br><a href="{url}">{url}</a></p>'


def posts(articles: tuple[tuple[str, str, str], ...] = ARTICLES) -> str:
    """An RSS feed with a post per article."""
    items = "".join(
        f"<item><title>{escape(title)}</title><link>https://digest.example/{number}</link>"
        f"<guid isPermaLink='false'>post-{number}</guid><pubDate>Fri, {20 - number:02} Nov 2026 08:00:00 +0000</pubDate>"
        f"<description><![CDATA[{body(text, source, number)}]]></description></item>"
        for number, (title, text, source) in enumerate(articles)
    )
    return _rss(items)


def compiled(articles: tuple[tuple[str, str, str], ...] = ARTICLES) -> str:
    """The same articles in one post, each under a heading."""
    html = "<p>This week’s briefs.</p>" + "".join(
        f"<h3>{escape(title)}</h3>{body(text, source, number)}" for number, (title, text, source) in enumerate(articles)
    )
    return _rss(
        "<item><title>Weekly digest</title><link>https://digest.example/weekly</link><guid>weekly</guid>"
        f"<pubDate>Fri, 20 Nov 2026 08:00:00 +0000</pubDate><description><![CDATA[{html}]]></description></item>"
    )


def _rss(items: str) -> str:
    return (
        "<?xml version='1.0' encoding='UTF-8'?><rss version='2.0'><channel><title>A digest</title>"
        f"<link>https://digest.example</link><description/>{items}</channel></rss>"
    )


@contextmanager
def configured(settings: Any, **changes: Any) -> Iterator[Config]:
    """The service with other settings: what the environment would have said."""
    before = settings.NEWSLETTER
    for name in {"mail", "mail_2"} & set(changes):
        changes[name] = urlsplit(changes[name])
    settings.NEWSLETTER = replace(before, gather=0, **changes)
    _forget()
    try:
        yield settings.NEWSLETTER
    finally:
        settings.NEWSLETTER = before
        _forget()


def _forget() -> None:
    for made in (
        wiring.vault,
        wiring.mail_sender,
        wiring.fetcher,
        edition_wiring.renderer,
        delivery_wiring.buckets,
        delivery_wiring._pacing,
    ):
        made.cache_clear()
    if hasattr(delivery_wiring._per_thread, "providers"):
        for provider in delivery_wiring._per_thread.providers.values():
            provider.close()
        del delivery_wiring._per_thread.providers


def serve(server: HTTPServer, text: str, path: str = "/feed") -> str:
    server.clear()
    server.expect_request(path).respond_with_data(text.encode(), content_type="application/rss+xml")
    return str(server.url_for(path))


def set_up(url: str, *, announce: str = "all") -> None:
    """What an admin types first."""
    startup.prepare()
    topics.add_topic("Uyghur", "Uyghur OR Uighur OR 维吾尔", now=db.now(), actor=ACTOR)
    topics.add_topic("Huawei", "Huawei", now=db.now(), actor=ACTOR)
    added = manage.add(url, announce=announce, title="", now=db.now(), fetcher=wiring.fetcher(), actor=ACTOR)
    assert isinstance(added, manage.AddedFeed), added


def subscribe(
    address: str, *names: str, keywords: tuple[str, ...] = (), cadence: Cadence = Cadence.IMMEDIATE, **more: Any
) -> int:
    """A confirmed subscriber."""
    ids = {topic.name: topic.topic_id for topic in topic_status.list_topics(small_number=10)}
    choices = Choices(topic_ids=tuple(ids[name] for name in names), keywords=keywords, cadence=cadence, **more)
    made = subscribe_directly(
        parse_address(address), choices, wiring.subscribing(db.now()), confirmed=True, source="test", actor=ACTOR
    )
    assert isinstance(made, AddedSubscriber)
    return made.subscriber_id


@dataclass(frozen=True)
class Got:
    """A mail as its reader has it, whatever carried it."""

    subject: str
    text: str
    html: str
    headers: dict[str, str]


def from_smtp(mail: smtp.Mail) -> Got:
    message = mail.message
    parts = [message.get_body((kind,)) for kind in ("plain", "html")]
    text, html = (str(part.get_content()) if part else "" for part in parts)
    return Got(str(message["Subject"]), text, html, {name: str(value) for name, value in message.items()})


def from_sendgrid(mail: sendgrid.Mail) -> Got:
    usual = {"To": mail.recipient, "From": f"{mail.sender_name} <{mail.sender}>", "Reply-To": mail.reply_to}
    return Got(mail.subject, mail.text, mail.html, {**usual, **mail.headers})
