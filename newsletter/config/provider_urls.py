"""NEWSLETTER_MAIL_URL and NEWSLETTER_MAIL_URL_2 in, the providers to be used out: each with its name and number in the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl

from newsletter.config import connection_urls

#: Kind of provider → its number in the ledger, never changed, never used again. `smtps` is `smtp` with TLS from the first byte.
NUMBERS: Final = {"outbox": 1, "smtp": 2, "sendgrid": 3}
_KINDS: Final = {number: kind for kind, number in NUMBERS.items()}
#: What is added to the number of the second provider of one kind.
SECOND: Final = 10
#: The settings of both.
FIRST_URL, SECOND_URL = "MAIL_URL", "MAIL_URL_2"


@dataclass(frozen=True)
class Configured:
    """A provider that mail can be given to. `key` and `api` are those of SendGrid."""

    name: str
    number: int
    kind: str
    url: SplitResult = field(repr=False)
    key: str = field(default="", repr=False)
    api: str = ""


def read(values: Mapping[str, str]) -> tuple[SplitResult, SplitResult | None]:
    """The addresses of both providers, checked; None: there is no second.

    Raises:
        ValueError: names the setting and says what to write instead; never shows the address, which holds a password.
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
    """The providers, that of MAIL_URL first.

    Each is called by its kind, the second of one kind `smtp-2` (number 12): so a second one that is added, or two that change
    places, leave every row of the ledger what it was. `keys` and `apis` are SendGrid's, of the first and the second.
    """
    found = [_one(first, 0, keys[0] or keys[1], apis[0])]
    if second is not None:
        again = _kind(second) == found[0].kind
        found.append(_one(second, SECOND if again else 0, keys[1] or keys[0], apis[1] or apis[0]))
    return tuple(found)


def name_of(number: int) -> str:
    """The name of a provider by its number in the ledger, configured or not."""
    kind = _KINDS.get(number % SECOND)
    return f"provider {number}" if kind is None else f"{kind}-2" if number > SECOND else kind


def number_of(name: str) -> int | None:
    """The number of a provider by its name; None: there is none of that name."""
    return NUMBERS.get(name) or next((number + SECOND for kind, number in NUMBERS.items() if name == f"{kind}-2"), None)


def _one(url: SplitResult, more: int, key: str, api: str) -> Configured:
    kind = _kind(url)
    number = NUMBERS[kind] + more
    is_sendgrid = kind == "sendgrid"
    return Configured(name_of(number), number, kind, url, key if is_sendgrid else "", api if is_sendgrid else "")


def _kind(url: SplitResult) -> str:
    return "smtp" if url.scheme == "smtps" else url.scheme
