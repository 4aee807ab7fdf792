"""Every setting: its name, default and meaning. `config.py` reads and checks them; `make docs` writes docs/configuration.md."""

from dataclasses import dataclass

PREFIX = "NEWSLETTER_"


@dataclass(frozen=True)
class Setting:
    """A setting as an operator sees it: `meaning` stands in docs/configuration.md (`make docs`)."""

    default: str
    meaning: str
    #: May also be given as NAME_FILE, a path to a file with the value.
    secret: bool = False


#: By name without prefix. An unknown NEWSLETTER_ name in the environment is an error.
SETTINGS: dict[str, Setting] = {
    "DATABASE_URL": Setting(
        "", "database, `postgres://USER:PASSWORD@HOST:PORT/NAME`; empty: SQLite in the data directory", secret=True
    ),
    "BROKER_URL": Setting(
        "memory://", "broker, `redis://HOST:PORT/NUMBER`; needed when there are several processes", secret=True
    ),
    "MAIL_URL": Setting(
        "outbox:",
        "provider: `outbox:` (files), `smtp://USER:PASSWORD@HOST:587`, `smtps://…` or `sendgrid:`; for SMTP, "
        "`?connections=4&per_domain=2` sets how many mails may be under way at once, and `?tls=no` switches STARTTLS off "
        "(only for a server on the same machine)",
        secret=True,
    ),
    "MAIL_URL_2": Setting(
        "", 'second provider, in the same form: see "Two providers" in [operations.md](operations.md)', secret=True
    ),
    "SENDGRID_API_KEY": Setting("", "API key; needed with `sendgrid:`", secret=True),
    "SENDGRID_API_KEY_2": Setting("", "API key of the second provider, if both are SendGrid", secret=True),
    "SENDGRID_URL": Setting(
        "https://api.sendgrid.com", "address of SendGrid's API; for the EU region `https://api.eu.sendgrid.com`"
    ),
    "SENDGRID_URL_2": Setting("", "the same for the second provider; empty: as for the first"),
    "FAILOVER_AFTER": Setting(
        "0", "minutes after which the mails of a provider that is down go to the other; 0: only by command"
    ),
    "SENDGRID_WEBHOOK_KEY": Setting(
        "",
        "verification key of SendGrid's signed event webhook, which posts to `/hooks/sendgrid`; empty: the page does not exist",
    ),
    "BOUNCE_MAILDIR": Setting("", "Maildir that receives bounces and complaints"),
    "FROM": Setting("", "sender, such as `Digest <digest@example.org>`; needed for real mail"),
    "DKIM_SELECTOR": Setting(
        "",
        "selectors of the DKIM keys that your mail is signed with, for the DNS check: the `s=` of a DKIM-Signature; empty: "
        "SendGrid's `s1,s2`, none for SMTP",
    ),
    "DNS_SERVER": Setting(
        "",
        "name server that the DNS check asks, as `ADDRESS` or `ADDRESS:PORT`, where that of this machine answers otherwise "
        "than the internet's; empty: that of this machine",
    ),
    "ORGANISATION": Setting("Newsletter", "name of the organisation, on pages and at the foot of mails"),
    "ACCENT": Setting(
        "#17594a", "colour of links and buttons on pages and in mails; dark backgrounds get a lighter shade of it"
    ),
    "LOGO": Setting("", "SVG file shown beside the name on pages; empty: the first letter of the name"),
    "POSTAL_ADDRESS": Setting("", "postal address at the foot of mails, which many laws require"),
    "CONTACT": Setting("", "address for replies (Reply-To), which somebody reads; empty: the address of the sender"),
    "BASE_URL": Setting("", "public address of the pages, `https://…`; empty: the address in `BIND`"),
    "BIND": Setting("127.0.0.1:8000", "address and port of the pages"),
    "TRUSTED_PROXY": Setting(
        "",
        "addresses or networks of your reverse proxies, such as `127.0.0.1`, whose `X-Forwarded-For` and "
        "`X-Forwarded-Proto` are trusted: see [deploy.md](deploy.md)",
    ),
    "DESK": Setting("on", "`off`: this process has no admin pages and no API, `/desk/` and `/api/` answer 404"),
    "DESK_ALLOW": Setting(
        "",
        "addresses or networks that admin pages and API answer, such as `10.8.0.0/16`; everybody else gets 404; empty: all",
    ),
    "METRICS_TOKEN": Setting(
        "", "token that opens `/metrics` (`Authorization: Bearer TOKEN`); empty: the page does not exist", secret=True
    ),
    "METRICS_BIND": Setting(
        "",
        "address and port of a second listener that serves only `/metrics`, without a token, such as `127.0.0.1:9100`",
    ),
    "SECRET_KEY": Setting(
        "", "key for the links in mails; empty: read from `data/keys`, made at the first start", secret=True
    ),
    "ADDRESS_KEYS": Setting(
        "",
        "keys that encrypt addresses and keywords; empty: read from `data/keys`, made at the first start",
        secret=True,
    ),
    "DATA_DIR": Setting("data", "directory for keys, SQLite and the outbox"),
    "GATHER": Setting("120", "seconds that an alert waits for further matches before it is sent"),
    "PACE": Setting("", "most mails per second: `20`, or by provider `sendgrid=100,smtp=20`; empty: no limit"),
    "DOMAIN_PACE": Setting(
        "", "most mails per second to recipient domains: `gmail.com+googlemail.com=20,*=5`; empty: no limit"
    ),
    "DAILY_CAP": Setting("", "most mails per day (UTC): `50000`, or by provider; notices always go; empty: no limit"),
    "WARM_UP": Setting(
        "",
        "first day of a new sender, `2026-11-24`, for a daily cap that grows; with a plan of your own "
        "`2026-11-24:100/200/500`; or by provider",
    ),
    "SMALL_NUMBER": Setting(
        "10",
        'a number of people who follow one topic is shown as "fewer than 10" below this, and otherwise rounded to ten; '
        "from 5 to 1000",
    ),
    "FEED_ALLOW": Setting("", "`HOST:PORT` pairs on private addresses that feeds may be read from"),
    "ENVIRONMENT": Setting(
        "",
        "a word shown on every page of the desk where this is not the real installation, such as `staging`; empty: none",
    ),
    "LOG_LEVEL": Setting("INFO", "DEBUG, INFO, WARNING or ERROR"),
    "RECIPIENT_ALLOW": Setting("", "for tests: the only addresses that get real mail; empty: all"),
}
DEFAULTS: dict[str, str] = {name: setting.default for name, setting in SETTINGS.items()}
SECRETS = frozenset(name for name, setting in SETTINGS.items() if setting.secret)
