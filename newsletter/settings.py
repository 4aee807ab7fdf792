"""Settings: the environment in, Django's settings and `NEWSLETTER` (a `Config`) out. Every problem is one line.

Secrets may also come from files (`…_FILE`). The two keys are made once into DATA_DIR/keys, mode 0600, when neither is given.
"""

import base64
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address as MailAddress
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.core.exceptions import ImproperlyConfigured

from newsletter import mail_urls, paces, vault


class SettingsError(ImproperlyConfigured):
    """A setting is wrong: the message names it and says what to write instead."""


PREFIX = "NEWSLETTER_"
#: Name without prefix → default. An unknown NEWSLETTER_ name in the environment is an error.
DEFAULTS: dict[str, str] = {
    "DATABASE_URL": "",
    "BROKER_URL": "memory://",
    "MAIL_URL": "outbox:",
    "MAIL_URL_2": "",
    "SENDGRID_API_KEY": "",
    "SENDGRID_API_KEY_2": "",
    "SENDGRID_URL": "https://api.sendgrid.com",
    "SENDGRID_URL_2": "",
    "FAILOVER_AFTER": "0",
    "SENDGRID_WEBHOOK_KEY": "",
    "BOUNCE_MAILDIR": "",
    "FROM": "",
    "ORGANISATION": "Newsletter",
    "POSTAL_ADDRESS": "",
    "CONTACT": "",
    "BASE_URL": "",
    "BIND": "127.0.0.1:8000",
    "SECRET_KEY": "",
    "ADDRESS_KEYS": "",
    "DATA_DIR": "data",
    "GATHER": "120",
    "PACE": "",
    "DOMAIN_PACE": "",
    "DAILY_CAP": "",
    "WARM_UP": "",
    "FEED_ALLOW": "",
    "LOG_LEVEL": "INFO",
    "RECIPIENT_ALLOW": "",
}
#: May also be given as NAME_FILE, a path to a file with the value.
SECRETS = frozenset(
    {
        *("DATABASE_URL", "BROKER_URL", "SECRET_KEY", "ADDRESS_KEYS"),
        *("MAIL_URL", "MAIL_URL_2", "SENDGRID_API_KEY", "SENDGRID_API_KEY_2"),
    }
)


@dataclass(frozen=True)
class Config:
    """The service's own settings, checked. Secrets are kept out of the repr."""

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
    postal_address: str
    contact: str
    base_url: str
    bind: tuple[str, int]
    address_keys: Mapping[int, bytes] = field(repr=False)
    index_key: bytes = field(repr=False)
    data_dir: Path
    #: Seconds that a fresh match waits for others before an alert gathering closes.
    gather: int
    limits: paces.Limits
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

    @property
    def embedded(self) -> bool:
        """One process with its own in-memory bell, as opposed to a broker that others can ring."""
        return self.broker_url.startswith("memory:")

    @property
    def providers(self) -> tuple[mail_urls.Configured, ...]:
        """Who carries mail, that of NEWSLETTER_MAIL_URL first."""
        keys = (self.sendgrid_api_key, self.sendgrid_api_key_2)
        return mail_urls.configured(self.mail, self.mail_2, keys=keys, apis=(self.sendgrid_url, self.sendgrid_url_2))

    @property
    def mail_kind(self) -> str:
        """In words: outbox, smtp, sendgrid, or two of them."""
        return " and ".join(one.name for one in self.providers)

    def carries(self, kind: str) -> bool:
        """Whether a provider of this kind is configured."""
        return any(one.kind == kind for one in self.providers)


def read_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Values of all settings, defaults filled in and `_FILE`s read.

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
                values[target] = Path(value).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"{name}: cannot read {value!r} ({_why(error)})") from error
        else:
            raise SettingsError(f"{name} is not a setting: see the table in README.md, or unset it")
    return values


def read_config(values: Mapping[str, str]) -> Config:
    """Check `values` (as `read_environment` gives them) and build the configuration.

    Raises:
        SettingsError: names the setting and says what to write instead; never shows a secret.
    """
    try:
        address_keys, index_key = vault.parse_keys(values["ADDRESS_KEYS"])
    except ValueError as error:
        raise SettingsError(f"NEWSLETTER_ADDRESS_KEYS: {error}. Put back the keys file that was kept") from error
    name, sender, contact = _sender(values)
    bind = _host_port("BIND", values["BIND"])
    first, second = _mails(values)
    return Config(
        broker_url=_broker(values["BROKER_URL"]),
        mail=first,
        mail_2=second,
        sendgrid_api_key_2=values["SENDGRID_API_KEY_2"],
        sendgrid_url_2=_http_url("SENDGRID_URL_2", values["SENDGRID_URL_2"]) if values["SENDGRID_URL_2"] else "",
        failover_after=_whole("FAILOVER_AFTER", values["FAILOVER_AFTER"], most=1440),
        sendgrid_api_key=values["SENDGRID_API_KEY"],
        sendgrid_url=_http_url("SENDGRID_URL", values["SENDGRID_URL"]),
        sendgrid_webhook_keys=tuple(_public_key(part) for part in _parts(values["SENDGRID_WEBHOOK_KEY"])),
        bounce_maildir=Path(values["BOUNCE_MAILDIR"]).resolve() if values["BOUNCE_MAILDIR"] else None,
        sender_name=name,
        sender_address=sender,
        organisation=values["ORGANISATION"],
        postal_address=values["POSTAL_ADDRESS"],
        contact=contact,
        base_url=_http_url("BASE_URL", values["BASE_URL"] or _local_url(bind)),
        bind=bind,
        address_keys=address_keys,
        index_key=index_key,
        data_dir=Path(values["DATA_DIR"]).resolve(),
        gather=_whole("GATHER", values["GATHER"], most=3600),
        limits=_limits(values),
        feed_allow=frozenset(_host_port("FEED_ALLOW", part) for part in _parts(values["FEED_ALLOW"])),
        log_level=_level(values["LOG_LEVEL"]),
        recipient_allow=frozenset(part.lower() for part in _parts(values["RECIPIENT_ALLOW"])),
        placeholder_sender=not values["FROM"],
    )


def prepare_keys(values: dict[str, str], directory: Path) -> None:
    """Fill in both keys from `directory`/keys, making directory and file the first time; keys in the environment win.

    Raises:
        SettingsError: the directory or file cannot be made or read, or somebody else may read the file.
    """
    if values["SECRET_KEY"] and values["ADDRESS_KEYS"]:
        return
    path = directory / "keys"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _write_keys(path, values)
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SettingsError(f"{path} can be read by others: run 'chmod 600 {path}'")
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SettingsError(
            f"NEWSLETTER_DATA_DIR: cannot use {directory} ({_why(error)}). Make it writable, or name another"
        ) from error
    for line in lines:
        name, _, value = line.partition("=")
        if name in ("SECRET_KEY", "ADDRESS_KEYS") and not values[name]:
            values[name] = value.strip()


def _write_keys(path: Path, values: Mapping[str, str]) -> None:
    secret, address_keys = vault.new_keys()
    if (path.parent / "newsletter.sqlite3").exists():
        raise SettingsError(
            f"{path} is missing, but there is a database beside it. Put the kept keys file back: "
            "without it no address can be read"
        )
    temporary = path.with_name(f".keys-{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("# Keep a copy of this file in a safe place. Without it no stored address can ever be read again.\n")
        file.write(f"SECRET_KEY={values['SECRET_KEY'] or secret}\n")
        file.write(f"ADDRESS_KEYS={values['ADDRESS_KEYS'] or address_keys}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)  # fails if another process was first: then its keys are the keys
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def database(url: str, data_dir: Path) -> dict[str, Any]:
    """Django's DATABASES entry for `postgres://user:password@host:port/name` or `sqlite:///path`.

    An empty `url` means SQLite in `data_dir`.

    Raises:
        SettingsError: another kind of URL, or a part of it is missing.
    """
    parts = _split("DATABASE_URL", url or f"sqlite:///{data_dir / 'newsletter.sqlite3'}")
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path[1:] if parts.path.startswith("//") else parts.path) or ":memory:",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;",
            },
        }
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise SettingsError("NEWSLETTER_DATABASE_URL: write postgres://USER:PASSWORD@HOST:PORT/NAME or sqlite:///PATH")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": _port("DATABASE_URL", parts) or "",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 10, **options},
    }


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__).lower()


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[,\s]+", text) if part]


def _split(name: str, text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:  # whose words may quote a password
        raise SettingsError(f"NEWSLETTER_{name}: this is no URL, look at its host and brackets") from None


def _port(name: str, parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError as error:
        raise SettingsError(f"NEWSLETTER_{name}: the port must be a number from 1 to 65535") from error


def _host_port(name: str, text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.strip("[]").lower()
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise SettingsError(f"NEWSLETTER_{name}: {text!r} is not HOST:PORT, for example 127.0.0.1:8000")
    return host, int(port)


def _local_url(bind: tuple[str, int]) -> str:
    host = "127.0.0.1" if bind[0] in ("0.0.0.0", "::") else bind[0]  # noqa: S104
    return f"http://[{host}]:{bind[1]}" if ":" in host else f"http://{host}:{bind[1]}"


def _whole(name: str, text: str, *, most: int) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= most):
        raise SettingsError(f"NEWSLETTER_{name}: {text!r} is not a whole number from 0 to {most}")
    return int(text)


def _limits(values: Mapping[str, str]) -> paces.Limits:
    names = ("PACE", "DOMAIN_PACE", "DAILY_CAP", "WARM_UP")
    try:
        return paces.read(**{name.lower(): values[name] for name in names})
    except ValueError as error:
        name, what = error.args
        raise SettingsError(f"NEWSLETTER_{name}: {what}") from error


def _level(text: str) -> str:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise SettingsError(f"NEWSLETTER_LOG_LEVEL: {text!r} is not one of DEBUG, INFO, WARNING, ERROR")
    return text.upper()


def _http_url(name: str, text: str) -> str:
    parts = _split(name, text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise SettingsError(f"NEWSLETTER_{name}: {text!r} is not a web address, for example https://news.example.org")
    _port(name, parts)
    return text.rstrip("/")


def _public_key(text: str) -> EllipticCurvePublicKey:
    """An ECDSA key on P-256, as SendGrid shows it: DER (SubjectPublicKeyInfo) in base64."""
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise SettingsError(
            "NEWSLETTER_SENDGRID_WEBHOOK_KEY: copy the verification key from SendGrid's mail settings, on one line; "
            "several with commas"
        )
    return key


def _broker(url: str) -> str:
    if _split("BROKER_URL", url).scheme not in ("memory", "redis", "rediss"):
        raise SettingsError("NEWSLETTER_BROKER_URL: write redis://HOST:PORT/NUMBER, or memory:// for one process")
    return url


def _mails(values: Mapping[str, str]) -> tuple[SplitResult, SplitResult | None]:
    try:
        return mail_urls.read(values)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def _sender(values: Mapping[str, str]) -> tuple[str, str, str]:
    """(name, address, contact address) of the sender."""
    name, address = parseaddr(values["FROM"] or "Newsletter <newsletter@localhost>")
    contact = values["CONTACT"] or address
    for setting, text in (("FROM", address), ("CONTACT", contact)):
        try:
            parsed = MailAddress(addr_spec=text)
        except (ValueError, IndexError, MessageError) as error:
            raise SettingsError(f"NEWSLETTER_{setting}: write an address such as digest@example.org") from error
        if not parsed.domain or not parsed.username:
            raise SettingsError(f"NEWSLETTER_{setting}: write an address such as digest@example.org")
    return name, address, contact


_values = read_environment(os.environ)
_data_dir = Path(_values["DATA_DIR"]).resolve()
prepare_keys(_values, _data_dir)

NEWSLETTER = read_config(_values)

SECRET_KEY = _values["SECRET_KEY"]
DEBUG = False
_base = urlsplit(NEWSLETTER.base_url)
ALLOWED_HOSTS = sorted({_base.hostname or "", NEWSLETTER.bind[0], "127.0.0.1", "localhost", "[::1]"} - {""})
INSTALLED_APPS = ["newsletter.apps.NewsletterConfig"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "newsletter.web.headers.security_headers",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
ROOT_URLCONF = "newsletter.urls"
WSGI_APPLICATION = "newsletter.wsgi.application"

#: An installed wheel carries the templates inside the package, a checkout has them beside it.
TEMPLATES_DIR = next(
    path for path in (Path(__file__).parent / "templates", Path(__file__).parent.parent / "templates") if path.is_dir()
)
PACKS_DIR = TEMPLATES_DIR.with_name("packs")
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [TEMPLATES_DIR / "public"],
        "OPTIONS": {"environment": "newsletter.web.environment.environment"},
    }
]
DATABASES = {"default": database(_values["DATABASE_URL"], _data_dir)}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
STATIC_URL = "/static/"
#: One stylesheet, in the package: a wheel carries it, and whitenoise serves it.
STATIC_ROOT = Path(__file__).parent / "web" / "static"
WHITENOISE_MAX_AGE = 86_400
WHITENOISE_ALLOW_ALL_ORIGINS = False
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
APPEND_SLASH = False

CSRF_TRUSTED_ORIGINS = [f"{_base.scheme}://{_base.netloc}"]
CSRF_COOKIE_SECURE = _base.scheme == "https"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf" if CSRF_COOKIE_SECURE else "csrf"
CSRF_FAILURE_VIEW = "newsletter.web.errors.csrf_failure"
# no-referrer would make browsers send `Origin: null`, and every button would answer 403
SECURE_REFERRER_POLICY = "strict-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_HSTS_SECONDS = 31_536_000 if CSRF_COOKIE_SECURE else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if CSRF_COOKIE_SECURE else None
DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

LOGGING_CONFIG = None
