"""An installation that has been in use: feeds read, people of every sort, mails of every kind, and what came back of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.apps import apps
from django.core.cache import cache
from pytest_httpserver import HTTPServer

from newsletter import delivery_wiring, wiring
from newsletter.delivery.feedback import suppression_list
from newsletter.delivery.feedback.apply import apply_reports
from newsletter.delivery.ledger.cancel import cancel_planned
from newsletter.delivery.sending import workers
from newsletter.editions import left_over
from newsletter.feeds.storage.incidents import Incident
from newsletter.lib import db
from newsletter.lib.mail.provider_interface import Report, ReportKind
from newsletter.lib.refused import Refused
from newsletter.models import Cadence, Delivery, Feed, MailboxLimit, Notice, Rhythm, Subscriber
from newsletter.subscribers import confirm, lookup_and_erase, manage_link, preferences, unsubscribe
from newsletter.subscribers.choices import Choices
from newsletter.subscribers.email_address import index_of, parse_address
from newsletter.subscribers.form_requests import queue, values
from newsletter.subscribers.sign_up import SignedUp
from newsletter.subscribers.tokens import lasting_token
from newsletter.worker import run_once, sign_ups
from tests.factories import ACTOR
from tests.journey import road

_ARTICLES = (
    *road.ARTICLES[:3],
    ("A town in the desert", "The road to Zzyzx is long.", "Source: Example Wire, November 17, 2026"),
)


@contextmanager
def installed(settings: Any, server: HTTPServer, data_dir: object) -> Iterator[None]:
    """A feed read into an empty database, mail into a folder."""
    site = urlsplit(server.url_for("/"))
    with road.configured(settings, data_dir=data_dir, feed_allow=frozenset({(site.hostname, site.port)})):
        road.set_up(road.serve(server, road.posts(_ARTICLES)))
        yield


def lived_in() -> None:
    """Everybody does what people do, and mail goes out and comes back."""
    for name in ("stays", "left", "erased", "bounced", "complained", "softly", "unsubscribed"):
        road.subscribe(f"{name}@example.org", "Uyghur", keywords=("Zzyzx", f"cameras -{name}"))
    road.subscribe("daily@example.org", "Huawei", cadence=Cadence.DAILY)
    road.subscribe("weekly@example.org", "Huawei", cadence=Cadence.WEEKLY)
    sign_up("pending@example.org")
    cache.set("failed_sign_in", 1, timeout=86_400)
    earlier = db.now() - timedelta(hours=2)
    MailboxLimit.objects.update(last_at=earlier)
    Notice.objects.filter(subscriber=person("pending@example.org")).update(created_at=earlier)
    sign_up("pending@example.org")  # waits: its mailbox was asked two hours ago
    sign_up("stays@example.org")
    workers.beat(workers.Process(uuid4(), "web-1", 1, "1"))
    confirm_newest(sign_up("confirmed@example.org"))
    run_once.once(wait=timedelta(0))
    Rhythm.objects.update(due_at=db.now() - timedelta(minutes=1))
    _ask_and_stop_one("stays@example.org")
    run_once.once(wait=timedelta(0))
    _leave("left@example.org")
    erase("erased@example.org")
    for name, kind in (
        ("bounced", ReportKind.BOUNCE),
        ("complained", ReportKind.COMPLAINT),
        ("softly", ReportKind.SOFT_BOUNCE),
        ("unsubscribed", ReportKind.UNSUBSCRIBE),
        ("stays", ReportKind.DELIVERED),
    ):
        report(f"{name}@example.org", kind)
    assert not isinstance(
        suppression_list.lift(
            index_of(parse_address("bounced@example.org"), wiring.vault()), now=db.now(), actor=ACTOR
        ),
        Refused,
    )
    left_over.remember([person("daily@example.org").id], now=db.now())
    closed = {"opened_at": db.now(), "closed_at": db.now()}
    Incident.objects.create(feed=Feed.objects.get(), kind=Incident.Kind.GAP, **closed)


def sign_up(address: str) -> Notice:
    """Ask for a keyword on the public page, and let a worker decide; the newest notice to this address."""
    request = values.SignUp(parse_address(address), Choices(keywords=("Zzyzx", "quinquereme cable")))
    queue.put(request, client=ip_address("203.0.113.9"), now=db.now(), vault=wiring.vault())
    sign_ups.decide()
    return Notice.objects.filter(subscriber=person(address)).latest("id")


def confirm_newest(notice: Notice) -> None:
    """Press the button of a confirmation."""
    token = wiring.vault().token("notice", notice.id, bytes(notice.nonce))
    preview = confirm.preview_confirmation(token, now=db.now(), vault=wiring.vault())
    assert isinstance(preview, confirm.ConfirmationPreview)
    confirmed = confirm.confirm(token, preview.fingerprint, wiring.subscribing(db.now()))
    assert isinstance(confirmed, confirm.Confirmed)


def person(address: str) -> Subscriber:
    """Who has this address."""
    return Subscriber.objects.get(address_index=index_of(parse_address(address), wiring.vault()))


def erase(address: str) -> None:
    """As the command does it."""
    assert lookup_and_erase.erase(
        parse_address(address), now=db.now(), vault=wiring.vault(), forget=wiring.forget, actor=ACTOR
    )


def report(address: str, kind: ReportKind) -> None:
    """A provider tells something of this person's first mail."""
    mail = Delivery.objects.filter(subscriber=person(address)).order_by("id")[0]
    token = wiring.vault().token("delivery", mail.id)
    told = Report(token=token, purpose="delivery", kind=kind, at=db.now())
    assert apply_reports([told], delivery_wiring.report_context(), provider="smtp", now=db.now()).new == 1


def counts() -> dict[str, int]:
    """Rows of each table."""
    return {model._meta.db_table: model.objects.count() for model in apps.get_app_config("newsletter").get_models()}


def _leave(address: str) -> None:
    who = person(address)
    token = lasting_token("unsubscribe", who.id, who.link_epoch, wiring.vault())
    assert isinstance(unsubscribe.unsubscribe(token, now=db.now(), vault=wiring.vault()), unsubscribe.Unsubscribed)


def _ask_and_stop_one(address: str) -> None:
    asked = manage_link.ask_by_address(parse_address(address), now=db.now(), vault=wiring.vault())
    assert isinstance(asked, SignedUp)
    notice = Notice.objects.get(id=asked.notice_id)
    token = wiring.vault().token("notice", notice.id, bytes(notice.nonce))
    shown = preferences.view(token, now=db.now(), vault=wiring.vault())
    assert isinstance(shown, preferences.Preferences)
    keyword = next(topic for topic in shown.live if topic.is_keyword and topic.name != "Zzyzx")
    stopped = preferences.stop(
        token, keyword.subscription_id, now=db.now(), vault=wiring.vault(), cancel_planned=cancel_planned
    )
    assert stopped == preferences.Changed(1)
