"""Django's settings, and `NEWSLETTER` (a `Config`), both read from the environment. Every problem is reported as one line."""

import contextlib
import os
import stat
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from newsletter.config.config import read_config, read_environment
from newsletter.config.in_effect import settings_in_effect
from newsletter.config.key_file import prepare_keys
from newsletter.config.validators import SettingsError, split
from newsletter.lib import i18n

#: A host that is gone without a word is noticed within half a minute; by itself Linux would wait for a quarter of an hour.
_NOTICED = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}


def database(url: str, data_dir: Path) -> dict[str, Any]:
    """Django's DATABASES entry for `postgres://user:password@host:port/name` or `sqlite:///path`.

    An empty `url` means SQLite in `data_dir`.

    Raises:
        SettingsError: another kind of URL, or a part of it is missing.
    """
    parts = split("DATABASE_URL", url or f"sqlite:///{data_dir / 'newsletter.sqlite3'}")
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
        "PORT": parts.port or "",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        # without a threshold nothing is prepared, also not what asks to be; Django's own statements are never counted
        "OPTIONS": {"connect_timeout": 10, "prepare_threshold": sys.maxsize, **_NOTICED, **options},
    }


def keep_private(path: Path) -> None:
    """Let nobody else read an SQLite file, whoever may enter its directory: made with mode 0600, or changed to it.

    SQLite itself goes by the umask; what it puts beside the file later gets the file's mode.

    Raises:
        SettingsError: others may read a file, and it is not ours to change.
    """
    with contextlib.suppress(OSError):  # there already, or no place for it: opening it says so
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
        try:
            if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                file.chmod(0o600)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise SettingsError(f"{file} can be read by others: run 'chmod 600 {file}' as its owner") from error


_values = read_environment(os.environ)
_data_dir = Path(_values["DATA_DIR"]).resolve()
prepare_keys(_values, _data_dir)

NEWSLETTER = read_config(_values)
NEWSLETTER_IN_EFFECT = settings_in_effect(_values, os.environ)

SECRET_KEY = _values["SECRET_KEY"]
DEBUG = False
_base = urlsplit(NEWSLETTER.base_url)
ALLOWED_HOSTS = sorted({_base.hostname or "", NEWSLETTER.bind[0], "127.0.0.1", "localhost", "[::1]"} - {""})
INSTALLED_APPS = [
    "newsletter.apps.NewsletterConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]
MIDDLEWARE = [
    "newsletter.web.client_address.forwarded_scheme",
    "newsletter.web.security_headers.security_headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "newsletter.web.desk.gate.gate",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "newsletter.web.nul_characters.NoNulCharacters",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "newsletter.web.desk.accounts.session_limits.session_limits",
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
        "DIRS": [TEMPLATES_DIR],
        "OPTIONS": {
            "environment": "newsletter.web.jinja.environment",
            "context_processors": ["newsletter.web.desk.frame.frame"],
        },
    }
]
DATABASES = {"default": database(_values["DATABASE_URL"], _data_dir)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3") and DATABASES["default"]["NAME"] != ":memory:":
    keep_private(Path(DATABASES["default"]["NAME"]))
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
STATIC_URL = "/static/"
#: One stylesheet, in the package: a wheel carries it, and whitenoise serves it.
STATIC_ROOT = Path(__file__).parent / "web" / "static"
WHITENOISE_MAX_AGE = 86_400
WHITENOISE_ALLOW_ALL_ORIGINS = False
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [i18n.DIRECTORY]
APPEND_SLASH = False

CSRF_TRUSTED_ORIGINS = [f"{_base.scheme}://{_base.netloc}"]
CSRF_COOKIE_SECURE = _base.scheme == "https"
CSRF_COOKIE_HTTPONLY = True
# until the browser closes: a cookie of a year would tell on a shared computer that somebody was here
CSRF_COOKIE_AGE = None
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf" if CSRF_COOKIE_SECURE else "csrf"
CSRF_FAILURE_VIEW = "newsletter.web.desk.accounts.stale_form.csrf_failure"
# no-referrer would make browsers send `Origin: null`, and every button would answer 403
SECURE_REFERRER_POLICY = "strict-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
# cli/service/http_server.py refuses larger bodies before; under another server Django does, and stores no file of a form
DATA_UPLOAD_MAX_MEMORY_SIZE = 65_536
FILE_UPLOAD_HANDLERS: list[str] = []
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

# admins sign in to the desk; the public pages know no accounts, and touch no session
AUTH_USER_MODEL = "newsletter.Admin"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "desk_home"
LOGOUT_REDIRECT_URL = "account_login"
SESSION_COOKIE_NAME = "__Host-session" if CSRF_COOKIE_SECURE else "session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600  # admins/sessions.py also ends a session that is used all the time
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# limits of sign-in are shared by all processes, and Redis may be away or missing
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "shared_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
ACCOUNT_ADAPTER = "newsletter.web.desk.accounts.sign_in_adapter.SignInAdapter"
ACCOUNT_TEMPLATE_EXTENSION = "html.j2"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_SIGNUP_ENABLED = False
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 30 * 60
ACCOUNT_REAUTHENTICATION_METHODS = ["password", "mfa"]
ACCOUNT_SESSION_REMEMBER = False
#: `key` is a name with a client's network, or for codes an account: whoever goes on guessing waits longer.
ACCOUNT_RATE_LIMITS = {"login": "20/m/ip", "login_failed": "5/15m/key,10/2h/key,20/1d/key"}
MFA_ADAPTER = "newsletter.web.desk.accounts.second_factor_adapter.SecondFactorAdapter"
MFA_FORMS = {"activate_totp": "newsletter.web.desk.accounts.app_form.AppForm"}
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_TOTP_ISSUER = NEWSLETTER.organisation
MFA_TOTP_TOLERANCE = 1
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"

LOGGING_CONFIG = None
