"""Providers connected to local sinks."""

from urllib.parse import urlsplit

from newsletter.providers.smtp.provider import Smtp
from tests.fakes.smtp import SmtpCatcher
from tests.providers.pieces import SENDER


def smtp(catcher: SmtpCatcher) -> Smtp:
    return Smtp(urlsplit(catcher.url), SENDER, ca_file=str(catcher.ca_file), timeout=1.0, answer_within=1.0)
