"""Read the settings NEWSLETTER_MAIL_URL and NEWSLETTER_MAIL_URL_2: which providers carry mail, under which name and number."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl

from newsletter.config import connection_urls
from newsletter.lib.mail.provider_ids import NUMBERS, SECOND, name_of

#: The settings of both.
FIRST_URL, SECOND_URL = "MAIL_URL", "MAIL_URL_2"


@dataclass(frozen=True)
class Configured:
    """A configured provider. `key` and `api` are SendGrid's."""

    name: str
    number: int
    kind: str
    url: SplitResult = field(repr=False)
    key: str = field(default="", repr=False)
    api: str = ""


def read(values: Mapping[str, str]) -> tuple[SplitResult, SplitResult | None]:
    """Check and return the addresses of both providers; the second is None if there is none.

    Raises:
        ValueError: names the setting and says what to write instead; never shows the address, which may hold a password.
    """
    first = _parse(FIRST_URL, values[FIRST_URL])
    second = _parse(SECOND_URL, values[SECOND_URL]) if values[SECOND_URL] else None
    used = [name for name, url in ((FIRST_URL, first), (SECOND_URL, second)) if url and url.scheme == "sendgrid"]
    keys = {values["SENDGRID_API_KEY"], values["SENDGRID_API_KEY_2"]} - {""}
    if used and not keys:
        raise ValueError(f"NEWSLETTER_SENDGRID_API_KEY is needed with NEWSLETTER_{used[0]}=sendgrid:")
    if len(used) > len(keys):
        raise ValueError("NEWSLETTER_SENDGRID_API_KEY_2 is needed for a second SendGrid account, with a key of its own")
    if not values["FROM"] and any(url and url.scheme != "outbox" for url in (first, second)):
        raise ValueError("NEWSLETTER_FROM is needed to send real mail, for example 'Digest <digest@example.org>'")
    if second is None and values["FAILOVER_AFTER"] != "0":
        raise ValueError("NEWSLETTER_FAILOVER_AFTER needs a second provider: set NEWSLETTER_MAIL_URL_2")
    return first, second


def _parse(name: str, text: str) -> SplitResult:
    try:
        parts = connection_urls.parse(text)
    except ValueError as error:
        raise ValueError(f"NEWSLETTER_{name}: {error}") from None
    if parts.scheme not in ("outbox", "smtp", "smtps", "sendgrid"):
        raise ValueError(f"NEWSLETTER_{name}: write outbox:, smtp://USER:PASSWORD@HOST:PORT, smtps://… or sendgrid:")
    if parts.scheme in ("smtp", "smtps") and not parts.hostname:
        raise ValueError(f"NEWSLETTER_{name}: the host is missing, write smtp://USER:PASSWORD@HOST:PORT")
    if parts.scheme in ("smtp", "smtps") and parts.path not in ("", "/"):
        raise ValueError(
            f"NEWSLETTER_{name}: nothing can stand between the port and ?; "
            f"if it is part of the password, {connection_urls.ENCODE}"
        )
    _options(name, parts.query)
    return parts


def _options(name: str, query: str) -> None:
    try:
        options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True)) if query else {}
    except ValueError:
        options = {query: ""}
    if not options.keys() <= {"tls", "connections", "per_domain"} or options.get("tls", "no") != "no":
        raise ValueError(f"NEWSLETTER_{name}: after ? only connections=N, per_domain=N and tls=no can stand")
    for option in options.keys() - {"tls"}:
        if options[option] not in map(str, range(1, 51)):
            raise ValueError(f"NEWSLETTER_{name}: {option} is a whole number from 1 to 50")


def configured(
    first: SplitResult, second: SplitResult | None, *, keys: tuple[str, str], apis: tuple[str, str]
) -> tuple[Configured, ...]:
    """Return the configured providers, that of MAIL_URL first.

    Each is named after its kind, the second of one kind `smtp-2` (number 12). So rows of the ledger keep their meaning if a
    second provider is added, or if the two are swapped. `keys` and `apis` are SendGrid's, of the first and the second.
    """
    providers = [_configured(first, 0, keys[0] or keys[1], apis[0])]
    if second is not None:
        same_kind = _kind(second) == providers[0].kind
        providers.append(_configured(second, SECOND if same_kind else 0, keys[1] or keys[0], apis[1] or apis[0]))
    return tuple(providers)


def _configured(url: SplitResult, offset: int, key: str, api: str) -> Configured:
    kind = _kind(url)
    number = NUMBERS[kind] + offset
    is_sendgrid = kind == "sendgrid"
    return Configured(name_of(number), number, kind, url, key if is_sendgrid else "", api if is_sendgrid else "")


def _kind(url: SplitResult) -> str:
    return "smtp" if url.scheme == "smtps" else url.scheme
