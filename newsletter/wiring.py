"""The only file that chooses concrete parts: keys, carrier, wording, fetcher, and what each door of the road is given."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings

from newsletter import __version__, links, mail
from newsletter.delivery.events import Hearing
from newsletter.delivery.plan import Carrier, Share, plan
from newsletter.delivery.send import Sender
from newsletter.editions.compose import Composer
from newsletter.editions.pieces import Explaining
from newsletter.editions.render import Frame, Wording
from newsletter.feeds.fetch import Fetcher
from newsletter.handover import Provider
from newsletter.matching import objections, topics
from newsletter.matching.match import spans
from newsletter.models import Lane
from newsletter.providers.allow import Allowlist
from newsletter.providers.outbox import Outbox
from newsletter.providers.sendgrid import SendGrid
from newsletter.providers.smtp import Smtp
from newsletter.settings import Config
from newsletter.subscribers.address import index_of
from newsletter.vault import Vault

#: Name → number of every carrier.
PROVIDERS = {one.name: one.number for one in (Outbox, Smtp, SendGrid)}
_of_thread = threading.local()


def config() -> Config:
    """The service's own settings."""
    checked: Config = settings.NEWSLETTER
    return checked


@cache
def vault() -> Vault:
    """The keys of this installation."""
    return Vault(settings.SECRET_KEY.encode(), config().address_keys, config().index_key)


@cache
def mail_sender() -> mail.Sender:
    """Who mails come from."""
    return mail.Sender(
        name=config().sender_name,
        address=config().sender_address,
        organisation=config().organisation,
        contact=config().contact,
        base_url=config().base_url,
    )


def provider() -> Provider:
    """The carrier of NEWSLETTER_MAIL_URL, one for each thread: connections are not shared."""
    if not hasattr(_of_thread, "provider"):
        _of_thread.provider = _provider()
    made: Provider = _of_thread.provider
    return made


def _provider() -> Provider:
    carrier: Provider
    match config().mail_kind:
        case "sendgrid":
            carrier = SendGrid(
                config().sendgrid_api_key,
                mail_sender(),
                url=config().sendgrid_url,
                own_bounces=bool(config().sendgrid_webhook_keys),
            )
        case "smtp" | "smtps":
            carrier = Smtp(config().mail, mail_sender())
        case _:
            carrier = Outbox(config().data_dir / "outbox", mail_sender())
    return Allowlist(carrier, config().recipient_allow) if config().recipient_allow else carrier


def carrier() -> Carrier:
    """What planning must know of the provider."""
    return Carrier(number=provider().number, one_letter=provider().one_letter)


def sender() -> Sender:
    """What sending needs besides the rows."""
    domain = config().sender_address.rpartition("@")[2]
    return Sender(provider=provider(), vault=vault(), base_url=config().base_url, domain=domain)


def hearing() -> Hearing:
    """What believing reports of mails needs besides the rows."""
    return Hearing(vault=vault(), index_of=index_of)


def provider_name(number: int) -> str:
    """The name of a carrier by its number in the ledger."""
    return {one.number: one.name for one in (Outbox, Smtp, SendGrid)}.get(number, f"provider {number}")


def events_from() -> int | None:
    """The provider whose events reach us by webhook."""
    return SendGrid.number if config().sendgrid_webhook_keys else None


@cache
def fetcher() -> Fetcher:
    """Reads feeds, behind the private-address guard."""
    return Fetcher(
        allow=config().feed_allow, user_agent=f"newsletter/{__version__} (+{config().base_url}; feed poller)"
    )


@cache
def wording() -> Wording:
    """Words mails, from the templates."""
    frame = Frame(
        organisation=config().organisation,
        postal_address=config().postal_address,
        contact=config().contact,
        sender=config().sender_name,
        base_url=config().base_url,
    )
    return Wording(settings.TEMPLATES_DIR / "email", frame)


def composer() -> Composer:
    """What composing needs besides the rows."""
    return Composer(wording=wording(), explaining=_explaining(), vault=vault(), plan=_plan)


def _explaining() -> Explaining:
    return Explaining(
        own_words=lambda ids: topics.own_words(ids, vault=vault()),
        spans=spans,
        objection=lambda item_id, topic_id: links.url(
            config().base_url, "objection", objections.token(item_id, topic_id, vault())
        ),
    )


def _plan(
    *,
    occasion_id: int,
    lane: Lane,
    shares: Sequence[tuple[int, Sequence[int], str | None]],
    given: Sequence[tuple[int, int, Sequence[int]]],
    audience: int,
    now: datetime,
) -> tuple[int, ...]:
    return plan(
        occasion_id=occasion_id,
        lane=lane,
        shares=[Share(edition_id, people, parked) for edition_id, people, parked in shares],
        given=given,
        audience=audience,
        carrier=carrier(),
        now=now,
    )


def gather() -> timedelta:
    """How long a fresh match waits for others."""
    return timedelta(seconds=config().gather)
