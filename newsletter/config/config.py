"""Read the service's settings from the environment into a `Config`. Secrets may also come from files (`…_FILE`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from newsletter.config import brand, provider_urls, rate_limits
from newsletter.config.settings_table import DEFAULTS, PREFIX, SECRETS
from newsletter.config.validators import (
    SettingsError,
    bearer,
    broker,
    dns_server,
    host_port,
    http_url,
    level,
    local_url,
    networks,
    parts,
    public_key,
    selector,
    sender,
    switch,
    whole,
    why,
)
from newsletter.lib import crypto
from newsletter.lib.loopback import is_loopback

#: Key in the WSGI environment of requests on NEWSLETTER_METRICS_BIND; no header can set it.
METRICS_LISTENER: Final = "newsletter.metrics_listener"


@dataclass(frozen=True)
class Config:
    """The service's own settings, checked. The repr shows no secrets."""

    broker_url: str = field(repr=False)
    mail: SplitResult = field(repr=False)
    sendgrid_api_key: str = field(repr=False)
    sendgrid_url: str
    #: Any of them may have signed an event; none: no webhook.
    sendgrid_webhook_keys: tuple[EllipticCurvePublicKey, ...]
    bounce_maildir: Path | None
    sender_name: str
    sender_address: str
    organisation: str
    brand: brand.Brand
    postal_address: str
    contact: str
    base_url: str
    bind: tuple[str, int]
    address_keys: Mapping[int, bytes] = field(repr=False)
    index_key: bytes = field(repr=False)
    data_dir: Path
    #: Seconds that a fresh match waits for others before an alert gathering closes.
    gather: int
    limits: rate_limits.RateLimits
    feed_allow: frozenset[tuple[str, int]]
    log_level: str
    recipient_allow: frozenset[str] = field(repr=False)
    #: True when nobody named a sender: good enough for the outbox, not for real mail.
    placeholder_sender: bool
    #: A second provider beside that of `mail`, None where there is one alone.
    mail_2: SplitResult | None = field(default=None, repr=False)
    sendgrid_api_key_2: str = field(default="", repr=False)
    sendgrid_url_2: str = ""
    #: Minutes after which what waits for a provider that is out goes to the other; 0: only by hand.
    failover_after: int = 0
    #: For the DNS check: the names of DKIM keys, and the server to ask; None: this machine's.
    dkim_selectors: tuple[str, ...] = ()
    dns_server: tuple[str, int] | None = None
    #: Fewer people who have one topic in common than this are not counted where somebody sees it.
    small_number: int = 10
    #: Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
    trusted_proxy: tuple[IPv4Network | IPv6Network, ...] = ()
    #: Whether this process has admin pages and the API; and for which clients, all if empty.
    desk: bool = True
    desk_allow: tuple[IPv4Network | IPv6Network, ...] = ()
    #: Opens /metrics on the pages' listener; empty: it is not there.
    metrics_token: str = field(default="", repr=False)
    #: What this installation is, if it is not the real one; else empty.
    environment: str = ""
    #: A listener of its own for /metrics, None without one.
    metrics_bind: tuple[str, int] | None = None

    @property
    def https(self) -> bool:
        """True if readers reach the pages over TLS, which a proxy in front terminates."""
        return self.base_url.startswith("https:")

    @property
    def clients_hidden(self) -> bool:
        """True if every request comes from a proxy that is not configured, so that no client's address is known."""
        return self.https and not self.trusted_proxy

    @property
    def embedded(self) -> bool:
        """True if one process does everything, with a broker in memory; False with a broker that processes share."""
        return self.broker_url.startswith("memory:")

    @property
    def local_only(self) -> bool:
        """True if the pages are bound to this machine and linked to by its address, and no proxy is named."""
        host = urlsplit(self.base_url).hostname or ""
        return is_loopback(self.bind[0]) and is_loopback(host) and not self.trusted_proxy

    @property
    def outbox_directory(self) -> Path:
        """Where the first outbox writes its mails."""
        return self.data_dir / "outbox"

    @property
    def providers(self) -> tuple[provider_urls.Configured, ...]:
        """The configured providers, that of NEWSLETTER_MAIL_URL first."""
        keys = (self.sendgrid_api_key, self.sendgrid_api_key_2)
        return provider_urls.configured(
            self.mail, self.mail_2, keys=keys, apis=(self.sendgrid_url, self.sendgrid_url_2)
        )

    @property
    def mail_kind(self) -> str:
        """The names of the providers: outbox, smtp, sendgrid, or two of them."""
        return " and ".join(provider.name for provider in self.providers)

    def carries(self, kind: str) -> bool:
        """True if a provider of this kind is configured."""
        return any(provider.kind == kind for provider in self.providers)


def read_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the values of all settings, with defaults, and with secrets from `_FILE`s.

    Raises:
        SettingsError: unknown name, both forms given, unreadable file.
    """
    values = dict(DEFAULTS)
    for name, value in environ.items():
        if not name.startswith(PREFIX):
            continue
        short = name.removeprefix(PREFIX)
        if short in DEFAULTS:
            values[short] = value.strip() or DEFAULTS[short]
        elif short.removesuffix("_FILE") in SECRETS and short.endswith("_FILE"):
            target = short.removesuffix("_FILE")
            if environ.get(PREFIX + target):
                raise SettingsError(f"{PREFIX}{target} and {name} are both set: keep one of them")
            try:
                values[target] = Path(value).read_text(encoding="utf-8").strip() or DEFAULTS[target]
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"{name}: cannot read {value!r} ({why(error)})") from error
        else:
            raise SettingsError(f"{name} is not a setting: see docs/configuration.md, or unset it")
    return values


def read_config(values: Mapping[str, str]) -> Config:
    """Check `values`, as `read_environment` returns them, and build the configuration.

    Raises:
        SettingsError: names the setting and says what to write instead; never shows a secret.
    """
    try:
        address_keys, index_key = crypto.parse_keys(values["ADDRESS_KEYS"])
    except ValueError as error:
        raise SettingsError(f"NEWSLETTER_ADDRESS_KEYS: {error}. Put back the keys file that was kept") from error
    name, address, contact = sender(values)
    bind = host_port("BIND", values["BIND"])
    metrics_bind = host_port("METRICS_BIND", values["METRICS_BIND"]) if values["METRICS_BIND"] else None
    if metrics_bind == bind:
        raise SettingsError("NEWSLETTER_METRICS_BIND: choose another port than that of NEWSLETTER_BIND")
    first, second = _mails(values)
    return Config(
        broker_url=broker(values["BROKER_URL"]),
        mail=first,
        mail_2=second,
        sendgrid_api_key_2=values["SENDGRID_API_KEY_2"],
        sendgrid_url_2=http_url("SENDGRID_URL_2", values["SENDGRID_URL_2"]) if values["SENDGRID_URL_2"] else "",
        failover_after=whole("FAILOVER_AFTER", values["FAILOVER_AFTER"], most=1440),
        sendgrid_api_key=values["SENDGRID_API_KEY"],
        sendgrid_url=http_url("SENDGRID_URL", values["SENDGRID_URL"]),
        sendgrid_webhook_keys=tuple(public_key(part) for part in parts(values["SENDGRID_WEBHOOK_KEY"])),
        bounce_maildir=Path(values["BOUNCE_MAILDIR"]).resolve() if values["BOUNCE_MAILDIR"] else None,
        sender_name=name,
        sender_address=address,
        organisation=values["ORGANISATION"],
        brand=_brand(values),
        postal_address=values["POSTAL_ADDRESS"],
        contact=contact,
        base_url=http_url("BASE_URL", values["BASE_URL"] or local_url(bind)),
        bind=bind,
        metrics_token=bearer("METRICS_TOKEN", values["METRICS_TOKEN"]),
        metrics_bind=metrics_bind,
        desk=switch("DESK", values["DESK"]),
        desk_allow=tuple(networks("DESK_ALLOW", values["DESK_ALLOW"], everybody="leave it empty")),
        trusted_proxy=tuple(networks("TRUSTED_PROXY", values["TRUSTED_PROXY"])),
        address_keys=address_keys,
        index_key=index_key,
        data_dir=Path(values["DATA_DIR"]).resolve(),
        gather=whole("GATHER", values["GATHER"], most=3600),
        dkim_selectors=tuple(selector(part) for part in parts(values["DKIM_SELECTOR"])),
        dns_server=dns_server(values["DNS_SERVER"]) if values["DNS_SERVER"] else None,
        small_number=whole("SMALL_NUMBER", values["SMALL_NUMBER"], least=5, most=1000),
        limits=_limits(values),
        feed_allow=frozenset(host_port("FEED_ALLOW", part) for part in parts(values["FEED_ALLOW"])),
        environment=values["ENVIRONMENT"],
        log_level=level(values["LOG_LEVEL"]),
        recipient_allow=frozenset(part.lower() for part in parts(values["RECIPIENT_ALLOW"])),
        placeholder_sender=not values["FROM"],
    )


def _brand(values: Mapping[str, str]) -> brand.Brand:
    try:
        return brand.read(values["ORGANISATION"], values["ACCENT"], values["LOGO"])
    except ValueError as error:
        name, what = error.args
        raise SettingsError(f"NEWSLETTER_{name}: {what}") from error


def _limits(values: Mapping[str, str]) -> rate_limits.RateLimits:
    names = ("PACE", "DOMAIN_PACE", "DAILY_CAP", "WARM_UP")
    try:
        return rate_limits.read(**{name.lower(): values[name] for name in names})
    except ValueError as error:
        name, what = error.args
        raise SettingsError(f"NEWSLETTER_{name}: {what}") from error


def _mails(values: Mapping[str, str]) -> tuple[SplitResult, SplitResult | None]:
    try:
        return provider_urls.read(values)
    except ValueError as error:
        raise SettingsError(str(error)) from None
