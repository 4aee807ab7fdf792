"""Examine how mail leaves, and how bounces and complaints come back."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from newsletter import wiring
from newsletter.cli.service.doctor.finding import Finding, found
from newsletter.cli.service.outbox_place import outbox_place
from newsletter.lib.loopback import is_loopback


def mail() -> Iterator[Finding]:
    """Where mail goes, what stands in it, and what comes back."""
    config = wiring.config()
    real = config.carries("smtp") or config.carries("sendgrid")
    to_files = f"nothing is sent, mails are written to files ({outbox_place()}): set NEWSLETTER_MAIL_URL to send them"
    yield found("mail", "" if real else to_files, f"sent by {config.mail_kind}")
    local = is_loopback(urlsplit(config.base_url).hostname or "")
    unreachable = real and (local or config.base_url.startswith("http:"))
    advice = "links in mails would not work for subscribers: set NEWSLETTER_BASE_URL to your https address"
    yield found("links", advice if unreachable else "", f"lead to {config.base_url}")
    advice = "" if config.postal_address else "not set, and many laws ask for it: set NEWSLETTER_POSTAL_ADDRESS"
    yield found("postal address", advice, "set")
    yield from _feedback()
    if config.recipient_allow:
        yield Finding("recipients", "warn", "only the addresses in NEWSLETTER_RECIPIENT_ALLOW are mailed")


def _feedback() -> Iterator[Finding]:
    """Whether bounces and complaints can reach us."""
    config = wiring.config()
    if config.carries("sendgrid"):
        advice = "bounces and complaints do not reach us: set NEWSLETTER_SENDGRID_WEBHOOK_KEY (docs/deliverability.md)"
        yield found("events", "" if config.sendgrid_webhook_keys else advice, f"at {config.base_url}/hooks/sendgrid")
    if config.bounce_maildir is not None:
        yield _maildir(config.bounce_maildir)
    elif config.carries("smtp"):
        advice = "bounces are not read: set NEWSLETTER_BOUNCE_MAILDIR (docs/deliverability.md)"
        yield Finding("returned mail", "warn", advice)


def _maildir(directory: Path) -> Finding:
    access = os.R_OK | os.W_OK | os.X_OK
    missing = [name for name in ("new", "cur") if not os.access(directory / name, access)]
    advice = f"{directory} has no {' and no '.join(missing)} that can be read and written: make it a Maildir"
    return found("returned mail", advice if missing else "", f"read from {directory}")
