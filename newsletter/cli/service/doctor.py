"""What `doctor` looks at: each finding with what to do."""

import os
import socket
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection

from newsletter import delivery_wiring, wiring
from newsletter.cli.output import when
from newsletter.cli.service import status
from newsletter.cli.service.migrations import is_migrated
from newsletter.delivery.gates import sending_gate
from newsletter.delivery.gates.restore_guard import Standing
from newsletter.delivery.routing import rules
from newsletter.lib import db
from newsletter.lib.crypto import KeysDoNotFit
from newsletter.lib.mail import message
from newsletter.lib.mail.provider_ids import name_of
from newsletter.matching.aliases import pack_files
from newsletter.matching.aliases.pack_files import InvalidPack
from newsletter.matching.topics import checks
from newsletter.models import Attempt, SignUpRequest
from newsletter.worker import retention

_TWICE = "a crash may forget what was written before mails left, and these would go twice. Set fsync and synchronous_commit to on"
#: Sign-ups that wait, from which on somebody should look.
_MANY_SIGN_UPS = 500
#: Feeds of such health need somebody's eye.
_UNWELL = ("broken", "late", "silent", "ended", "quarantined")
_HIDDEN = "the per-network sign-up limit is off: set NEWSLETTER_TRUSTED_PROXY to the proxy in front (docs/deploy.md)"
_OPEN_BROKER = (
    "Redis is on another machine and asks for no password: set requirepass there, and redis://:PASSWORD@HOST here"
)
_OUT = "{provider} takes nothing since {when} UTC ({out_why}), {planned} mails wait: 'newsletter sending move' hands them on"


@dataclass(frozen=True)
class Finding:
    """One examined thing: ok, warn or fail, and what to do."""

    what: str
    verdict: str
    told: str


def examine() -> list[Finding]:
    """Examine everything; one thing that cannot be examined does not stop the others."""
    found = [_keys_file(), _database()]
    if found[-1].verdict != "fail":
        found += [_keys(), *_work(), _retention(), *_topics()]
    return [*found, *_packs(), _broker(), *_mail(), _proxy(), _python()]


def _keys_file() -> Finding:
    directory = wiring.config().data_dir
    path = directory / "keys"
    if directory.exists() and directory.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding("keys", "warn", f"others may look into {directory}: run 'chmod 700 {directory}'")
    if not path.exists():
        return Finding("keys", "ok", "given by the environment: keep a copy, without them no address can be read")
    return Finding("keys", "ok", f"in {path}: keep a copy, without it no address can be read")


def _database() -> Finding:
    try:
        if not is_migrated():
            return Finding("database", "fail", "the tables are not those of this version: run 'newsletter migrate'")
    except DatabaseError:
        return Finding("database", "fail", "it does not answer: check NEWSLETTER_DATABASE_URL")
    lossy = _lossy() if db.is_postgres() else ""
    if lossy:
        return Finding("database", "warn", f"PostgreSQL has {lossy}: {_TWICE}")
    return Finding("database", "ok", connection.vendor)


def _lossy() -> str:
    """Settings with which a commit may be forgotten in a crash, in words: SQLite is opened by our own."""
    names = ("fsync", "synchronous_commit")
    found = db.rows("SELECT current_setting('fsync'), current_setting('synchronous_commit')")[0]
    return " and ".join(f"{name}={value}" for name, value in zip(names, found, strict=True) if value == "off")


def _keys() -> Finding:
    try:
        sending_gate.create_gate(wiring.vault())
    except KeysDoNotFit as error:
        return Finding("keys fit", "fail", f"{error}. Put back the keys file that was kept")
    return Finding("keys fit", "ok", "they open what is stored")


def _work() -> Iterator[Finding]:
    found = status.figures()
    late = "no worker looked at the tables for two minutes: start 'newsletter run', or a worker"
    yield Finding("workers", "warn" if found["silent"] else "ok", late if found["silent"] else "at work")
    paused = found["sending_paused_by"]
    yield Finding("sending", "warn" if paused else "ok", f"paused by {paused}: {status.RESUME}" if paused else "open")
    if delivery_wiring.host_guard().check(now=db.now()) is Standing.NEW_HOST:
        yield Finding("this host", "warn", Standing.NEW_HOST.value)
    yield from _providers(found)
    yield from _feeds(found)
    for state in ("unknown", "parked"):
        count = found["deliveries"].get(state, 0)
        yield Finding(state, "warn" if count else "ok", f"{count}: {status.WHAT_TO_DO[state]}" if count else "none")
    yield _sign_ups(found)
    for one in found["reputation"]:
        told = "; ".join((status.told_back(one), *one["warnings"]))
        yield Finding("what came back", "warn" if one["warns"] else "ok", told)
    for one in found["days"]:
        yield Finding("daily cap", "warn" if one["waiting"] else "ok", status.told_of_day(one) + _days_of_it(one))
    yield from _held_up(found)
    yield _queue(found)


def _retention() -> Finding:
    """Whether the hourly deletion keeps what docs/privacy.md promises; a day late is late."""
    late = retention.overdue(db.now() - timedelta(days=1))
    if not late:
        return Finding("retention", "ok", "nothing is kept longer than docs/privacy.md says")
    told = ", ".join(f"{rows} in {table}" for table, rows in sorted(late.items()))
    return Finding("retention", "warn", f"rows are a day past their time ({told}): does a worker run newsletter.prune?")


def _days_of_it(one: dict[str, Any]) -> str:
    advice = ". That is more than a day of it: raise NEWSLETTER_DAILY_CAP, or let the warm-up go on"
    return advice if one["waiting"] > one["cap"] else ""


def _held_up(found: dict[str, Any]) -> Iterator[Finding]:
    """Mails that stand still in the hands of a worker that is late or dead."""
    for one in found["held_up"]:
        advice = ". If that moment is over, no worker is left that looks: start one" if one["dead"] else ""
        yield Finding("held up", "fail" if one["dead"] else "warn", status.told_held_up(one) + advice)
    if not found["held_up"]:
        yield Finding("held up", "ok", "no batch stands still in the hands of a dead worker")


def _sign_ups(found: dict[str, Any]) -> Finding:
    """Whether strangers flood the public forms. Nobody else's mail waits for that."""
    waiting = found["requests_waiting"][SignUpRequest.Kind.SIGN_UP]
    if found["sign_ups_slowed"]:
        return Finding("sign-ups", "warn", f"{status.SLOWED}, {waiting} wait. It ends by itself")
    if waiting >= _MANY_SIGN_UPS:
        return Finding("sign-ups", "warn", f"{waiting} wait: more than usual are asked for, see docs/operations.md")
    return Finding("sign-ups", "ok", f"{waiting} wait")


def _queue(found: dict[str, Any]) -> Finding:
    """Whether mail that is due waits for no reason that is told elsewhere."""
    waits: datetime | None = found["oldest_planned_at"]
    if waits is None or waits >= db.now() - timedelta(minutes=10):
        return Finding("queue", "ok", "nothing waits" if not found["held_up"] else "nothing else waits")
    told = f"mail waits since {when(waits)} UTC"
    if found["sending_paused_by"] or any(one["waiting"] for one in found["days"]):
        return Finding("queue", "ok", f"{told}, see above")
    moving = Attempt.objects.filter(began_at__gt=db.now() - timedelta(minutes=2)).exists()
    if wiring.config().limits.paced and moving:
        return Finding("queue", "ok", f"{told}: it goes at the pace of NEWSLETTER_PACE and NEWSLETTER_DOMAIN_PACE")
    return Finding("queue", "warn", told)


def _providers(found: dict[str, Any]) -> Iterator[Finding]:
    """Each gate that is closed, each that is left alone or out of reach, and shares for one that is not there."""
    told = [status.PAUSED.format(**one) for one in found["providers"] if not one["open"]]
    told += [status.ALONE.format(**one) for one in found["providers_left_alone"]]
    alone = {one["provider"] for one in found["providers_left_alone"]}
    told += [
        _OUT.format(when=when(one["out_since"]), **one)
        for one in found["providers"]
        if one["open"] and one["out_since"] and one["provider"] not in alone
    ]
    configured = [one.number for one in wiring.config().providers]
    told += [
        f"a share goes by {name_of(rule.provider)}, which is not configured: see 'newsletter sending list'"
        for rule in rules.unused_rules(configured)
    ]
    yield from (Finding("provider", "warn", one) for one in told)
    if not told:
        yield Finding("provider", "ok", "answers" if len(configured) == 1 else "both answer")


def _feeds(found: dict[str, Any]) -> Iterator[Finding]:
    bad = [f"{found['feeds'][word]} {word}" for word in _UNWELL if found["feeds"].get(word)]
    told = f"{', '.join(bad)}: see 'newsletter feeds list'" if bad else "well"
    yield Finding("feeds", "warn" if bad else "ok", told)
    count = found["incidents"]
    yield Finding("incidents", "warn" if count else "ok", status.INCIDENTS.format(count) if count else "none")


def _topics() -> Iterator[Finding]:
    ailing = checks.check_topics(now=db.now())
    if not ailing:
        yield Finding("topics", "ok", "all can match, none is silent or too loud")
    for one in ailing:
        yield Finding(f"topic {one.name}", "fail" if one.broken else "warn", one.message)


def _packs() -> Iterator[Finding]:
    names = pack_files.pack_names(settings.PACKS_DIR)
    for name in names:
        try:
            pack_files.read_pack(settings.PACKS_DIR / f"{name}.yaml")
        except InvalidPack as error:
            yield Finding("alias packs", "fail", str(error))
            return
    yield Finding("alias packs", "ok", ", ".join(names) or "none")


def _broker() -> Finding:
    url = urlsplit(wiring.config().broker_url)
    if wiring.config().embedded:
        return Finding("broker", "ok", "in memory: good for one process")
    host = url.hostname or "localhost"
    if not url.password and not _on_this_machine(host):
        return Finding("broker", "warn", _OPEN_BROKER)
    try:
        with socket.create_connection((host, url.port or 6379), timeout=3):
            return Finding("broker", "ok", "answers")
    except OSError:
        return Finding("broker", "warn", "does not answer: mail still leaves, later by up to a minute; start Redis")


def _on_this_machine(host: str) -> bool:
    """Whether a host's name or address is of the loopback interface."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _mail() -> Iterator[Finding]:
    config = wiring.config()
    real = config.carries("smtp") or config.carries("sendgrid")
    if not real:
        yield Finding(
            "mail", "warn", f"nothing leaves, mails are files in {config.data_dir / 'outbox'}: set NEWSLETTER_MAIL_URL"
        )
    else:
        yield Finding("mail", "ok", f"by {config.mail_kind}")
    local = urlsplit(config.base_url).hostname in ("127.0.0.1", "localhost", "::1")
    wrong = real and (local or config.base_url.startswith("http:"))
    advice = "links in mails would not work for readers: set NEWSLETTER_BASE_URL to your https address"
    yield Finding("links", "warn" if wrong else "ok", advice if wrong else config.base_url)
    missing = not config.postal_address
    yield Finding(
        "postal address", "warn" if missing else "ok", "set NEWSLETTER_POSTAL_ADDRESS" if missing else "given"
    )
    yield from _hearing()
    if config.recipient_allow:
        yield Finding("recipients", "warn", "only those of NEWSLETTER_RECIPIENT_ALLOW are mailed")


def _hearing() -> Iterator[Finding]:
    """Whether bounces and complaints can reach us."""
    config = wiring.config()
    if config.carries("sendgrid"):
        deaf = not config.sendgrid_webhook_keys
        advice = "bounces and complaints do not reach us: set NEWSLETTER_SENDGRID_WEBHOOK_KEY (docs/deliverability.md)"
        yield Finding("events", "warn" if deaf else "ok", advice if deaf else f"at {config.base_url}/hooks/sendgrid")
    if config.bounce_maildir is None:
        if config.carries("smtp"):
            advice = "bounces are not read: set NEWSLETTER_BOUNCE_MAILDIR (docs/deliverability.md)"
            yield Finding("returned mail", "warn", advice)
        return
    missing = [
        name for name in ("new", "cur") if not os.access(config.bounce_maildir / name, os.R_OK | os.W_OK | os.X_OK)
    ]
    advice = (
        f"{config.bounce_maildir} has no {' and no '.join(missing)} that can be read and written: make it a Maildir"
    )
    yield Finding(
        "returned mail", "warn" if missing else "ok", advice if missing else f"read from {config.bounce_maildir}"
    )


def _proxy() -> Finding:
    """Whether clients can be told apart. Pages over https come through a proxy, and its address would be everybody's."""
    config = wiring.config()
    if config.clients_hidden:
        return Finding("proxy", "warn", _HIDDEN)
    named = ", ".join(map(str, config.trusted_proxy))
    return Finding(
        "proxy",
        "ok",
        f"{named}: what it says of its clients is believed" if named else "none: whoever connects is the client",
    )


def _python() -> Finding:
    safe: Callable[[], bool] = message.safe_python
    if safe():
        return Finding("mail headers", "ok", "hostile titles stay titles on this Python")
    return Finding("mail headers", "fail", "this Python lets a title make headers of its own: upgrade it")
