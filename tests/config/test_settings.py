"""Settings: every mistake is one line that names the setting and shows no secret."""

import base64
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from newsletter import settings
from newsletter.config import key_file
from newsletter.config.config import read_environment
from newsletter.config.key_file import prepare_keys
from newsletter.config.settings_table import DEFAULTS
from newsletter.config.validators import SettingsError
from newsletter.lib.mail import provider_ids
from newsletter.lib.mail.headers import SenderIdentity
from newsletter.lib.mail.message import prepare
from newsletter.lib.mail.provider_interface import Address, Letter, Parcel
from newsletter.providers.outbox import Outbox
from newsletter.providers.sendgrid.provider import SendGrid
from newsletter.providers.smtp.provider import Smtp
from tests.config.helpers import config

ROOT = Path(__file__).parents[2]


def _public(curve: ec.EllipticCurve) -> str:
    key = ec.generate_private_key(curve).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


SENDER = {"FROM": "Digest <digest@example.org>"}


def test_the_defaults_are_good() -> None:
    made = config()
    assert (made.embedded, made.mail_kind, made.bind, made.base_url) == (
        True,
        "outbox",
        ("127.0.0.1", 8000),
        "http://127.0.0.1:8000",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BIND", "nowhere"),
        ("BIND", "127.0.0.1:99999"),
        ("GATHER", "-1"),
        ("GATHER", "1e3"),
        ("SMALL_NUMBER", "4"),
        ("DNS_SERVER", "dns.example.org"),
        ("DNS_SERVER", "127.0.0.1:none"),
        ("DKIM_SELECTOR", "s1._domainkey.example.org s!"),
        ("LOG_LEVEL", "LOUD"),
        ("BASE_URL", "news.example.org"),
        ("BASE_URL", "https://x:port/"),
        ("BROKER_URL", "amqp://secret-word@x"),
        ("MAIL_URL", "pigeon://secret-word"),
        ("MAIL_URL", "smtp://"),
        ("MAIL_URL", "smtp://mail.example.org?connections=0"),
        ("MAIL_URL", "smtp://mail.example.org?per_domain=99"),
        ("MAIL_URL", "smtp://mail.example.org?connections=two"),
        ("MAIL_URL", "smtp://mail.example.org?connection=2"),
        ("MAIL_URL", "smtp://mail.example.org?tls=maybe"),
        ("MAIL_URL", "smtp://mail.example.org?secret-word"),
        ("MAIL_URL_2", "pigeon://secret-word"),
        ("MAIL_URL_2", "smtps://:465"),
        ("MAIL_URL_2", "smtp://[::1"),
        ("MAIL_URL", "smtp://user:secret-word\u2100@mail.example.org"),
        ("BROKER_URL", "redis://:secret-word\u2100@redis.example.org"),
        ("MAIL_URL", "smtp://user:secret-word/@mail.example.org:587"),
        ("MAIL_URL", "smtp://user:25/secret-word@mail.example.org:587"),
        ("MAIL_URL", "smtp://user:secret#secret-word@mail.example.org:587"),
        ("MAIL_URL", "smtp://user:secret?secret-word@mail.example.org:587"),
        ("MAIL_URL", "smtp://user:secret-word]@mail.example.org:587"),
        ("MAIL_URL", "smtp://mail.example.org:587/secret-word"),
        ("MAIL_URL_2", "smtps://user:sec/secret-word@mail.example.org"),
        ("BROKER_URL", "redis://:pa#secret-word@127.0.0.1:6379/0"),
        ("BROKER_URL", "redis://:pa/secret-word@127.0.0.1:6379/0"),
        ("BROKER_URL", "rediss://user:pa?secret-word@127.0.0.1/0"),
        ("BROKER_URL", "redis://127.0.0.1:secret-word/0"),
        ("BROKER_URL", "redis://127.0.0.1:6379/secret-word"),
        ("BROKER_URL", "redis://:[secret-word@127.0.0.1:6379/0"),
        ("BASE_URL", "https://user:secret-word@news.example.org"),
        ("SENDGRID_URL_2", "https://user:secret-word@api.example.org"),
        ("BASE_URL", "https://[::1"),
        ("BASE_URL", "https://bücher.example"),
        ("BASE_URL", "https://news.example.org/a b"),
        ("BASE_URL", "https://news.example.org/<x>"),
        ("FROM", "digest@exam_ple.org"),
        ("CONTACT", "editor@exam_ple.org"),
        ("SENDGRID_URL_2", "https://["),
        ("MAIL_URL", "smtp://secret-word:x@host:port"),
        ("FAILOVER_AFTER", "5"),
        ("FEED_ALLOW", "127.0.0.1"),
        ("DESK", "maybe"),
        ("DESK_ALLOW", "office"),
        ("DESK_ALLOW", "0.0.0.0/0"),
        ("TRUSTED_PROXY", "proxy.internal"),
        ("TRUSTED_PROXY", "127.0.0.1:8080"),
        ("TRUSTED_PROXY", "127.0.0.1, 10.0.0.1/8"),
        ("TRUSTED_PROXY", "0.0.0.0/0"),
        ("TRUSTED_PROXY", "::/0"),
        ("TRUSTED_PROXY", "*"),
        ("TRUSTED_PROXY", "0.0.0.0/0.0.0.0"),
        ("METRICS_BIND", "9100"),
        ("METRICS_BIND", "127.0.0.1:8000"),
        ("METRICS_TOKEN", "secret-word with spaces"),
        ("METRICS_TOKEN", "secret-word\u00fc"),
        ("FROM", "nobody"),
        ("CONTACT", "@"),
        ("ADDRESS_KEYS", "secret-word"),
        ("SENDGRID_URL", "secret-word"),
        ("SENDGRID_WEBHOOK_KEY", "secret-word"),
        ("SENDGRID_WEBHOOK_KEY", "AAAA"),
        ("SENDGRID_WEBHOOK_KEY", _public(ec.SECP384R1())),
        ("SENDGRID_WEBHOOK_KEY", f"{_public(ec.SECP256R1())},AAAA"),
    ],
)
def test_a_wrong_value_names_its_setting(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        config(**{name: value})
    assert f"NEWSLETTER_{name}" in str(error.value)
    assert "\n" not in str(error.value)
    assert name in ("SENDGRID_URL",) or "secret-word" not in str(error.value)


def test_proxies_are_addresses_and_networks() -> None:
    made = config(TRUSTED_PROXY="127.0.0.1, 172.18.0.0/16 ::1,fd00::/8 ::ffff:10.0.0.1").trusted_proxy
    assert list(map(str, made)) == ["127.0.0.1/32", "172.18.0.0/16", "::1/128", "fd00::/8", "10.0.0.1/32"]
    assert config().trusted_proxy == ()


def test_clients_are_hidden_where_tls_ends_at_a_proxy_that_nobody_named() -> None:
    https = {"BASE_URL": "https://news.example.org"}
    assert config(**https).clients_hidden
    assert not config(**https, TRUSTED_PROXY="127.0.0.1").clients_hidden
    assert not config().clients_hidden


def test_the_token_of_the_figures_is_a_secret() -> None:
    made = config(METRICS_TOKEN="secret-word", METRICS_BIND="[::1]:9100")
    assert (made.metrics_token, made.metrics_bind) == ("secret-word", ("::1", 9100))
    assert "secret-word" not in repr(made)
    assert (config().metrics_token, config().metrics_bind) == ("", None)


@pytest.mark.parametrize("sign", ["/", "#", "?"])
@pytest.mark.parametrize("url", ["postgres://u:{}@db.example.org/news", "redis://:{}@h:1/0", "smtp://u:{}@h:25"])
def test_a_sign_that_ends_a_password_is_said_to_need_encoding(url: str, sign: str, tmp_path: Path) -> None:
    for password in (f"secret{sign}word", f"25{sign}word", f"{sign}word", f"word{sign}"):
        bare, encoded = url.format(password), url.format(quote(password, safe=""))
        with pytest.raises(SettingsError, match=f"{sign} as {quote(sign, safe='')}".replace("?", r"\?")) as error:
            _read(bare, tmp_path)
        assert "word" not in str(error.value).replace("password", "")
        _read(encoded, tmp_path)


def _read(url: str, data_dir: Path) -> None:
    if url.startswith("postgres"):
        settings.database(url, data_dir)
    else:
        config(**{"BROKER_URL" if url.startswith("redis") else "MAIL_URL": url}, **SENDER)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("News @ Harbour <digest@example.org>", "News @ Harbour"),
        ("Digest: News <digest@example.org>", "Digest: News"),
        ("Kock, Arne <digest@example.org>", "Kock, Arne"),
        ("News [beta] <digest@example.org>", "News [beta]"),
        ("A; B (C) <digest@example.org>", "A; B (C)"),
        ("A <B> <digest@example.org>", "A <B>"),
        ('"Kock, Arne" <digest@example.org>', "Kock, Arne"),
        (r'"The \"Daily\" \\ News" <digest@example.org>', r'The "Daily" \ News'),
        ('The "Daily" <digest@example.org>', 'The "Daily"'),
        ("维吾尔, 新闻 <digest@example.org>", "维吾尔, 新闻"),
        ("digest@example.org (The Digest)", "The Digest"),
        ("<digest@example.org>", ""),
        ("digest@example.org", ""),
    ],
)
def test_the_senders_name_arrives_as_it_was_typed(text: str, name: str) -> None:
    made = config(FROM=text)
    assert (made.sender_name, made.sender_address) == (name, "digest@example.org")
    sender = SenderIdentity(made.sender_name, made.sender_address, "O", made.contact, "https://example.org")
    parcel = Parcel(0, Address("r@example.org"), Letter(0, "alert", "s", "t", ""), {}, "a@example.org", "a", None)
    raw = prepare(parcel.letter, sender).message(parcel, datetime(2026, 1, 1, tzinfo=UTC))
    (mailbox,) = message_from_bytes(raw, policy=default)["From"].addresses
    assert (mailbox.display_name, mailbox.addr_spec) == (name, "digest@example.org")


@pytest.mark.parametrize("text", ["a@example.org, b@example.org", "News <a@example.org>, b@example.org", "News <>"])
def test_a_sender_is_one_address(text: str) -> None:
    with pytest.raises(SettingsError, match=r"NEWSLETTER_FROM: write an address such as digest@example\.org"):
        config(FROM=text)


def test_a_database_url_that_cannot_be_read_shows_no_password(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="NEWSLETTER_DATABASE_URL") as error:
        settings.database("postgres://user:secret-word\u2100@db.example.org/name", tmp_path)
    assert "secret-word" not in str(error.value)


def test_real_mail_needs_a_sender_and_sendgrid_a_key() -> None:
    for values in ({"MAIL_URL": "smtp://mail.example.org"}, {"MAIL_URL": "sendgrid:"}):
        with pytest.raises(SettingsError):
            config(**values)
    made = config(MAIL_URL="sendgrid:", SENDGRID_API_KEY="SG.secret", FROM="Digest <digest@example.org>")
    assert "SG.secret" not in repr(made)


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("smtp://a.example", "", [("smtp", 2)]),
        ("smtp://a.example", "sendgrid:", [("smtp", 2), ("sendgrid", 3)]),
        ("sendgrid:", "smtp://a.example", [("sendgrid", 3), ("smtp", 2)]),
        ("smtp://a.example", "smtps://b.example", [("smtp", 2), ("smtp-2", 12)]),
        ("outbox:", "smtp://a.example", [("outbox", 1), ("smtp", 2)]),
    ],
)
def test_each_provider_has_a_name_and_a_number(first: str, second: str, told: list[tuple[str, int]]) -> None:
    made = config(MAIL_URL=first, MAIL_URL_2=second, SENDGRID_API_KEY="key", **SENDER)
    assert [(one.name, one.number) for one in made.providers] == told
    assert [(provider_ids.name_of(number), provider_ids.number_of(name)) for name, number in told] == told
    assert provider_ids.number_of("pigeon") is None and provider_ids.name_of(9) == "provider 9"


def test_the_numbers_are_those_of_the_providers() -> None:
    assert {one.name: one.number for one in (Outbox, Smtp, SendGrid)} == provider_ids.NUMBERS


def test_two_sendgrid_accounts_have_two_keys() -> None:
    both = {"MAIL_URL": "sendgrid:", "MAIL_URL_2": "sendgrid:", "SENDGRID_API_KEY": "one", **SENDER}
    for second in ("", "one"):
        with pytest.raises(SettingsError, match="SENDGRID_API_KEY_2"):
            config(**both, SENDGRID_API_KEY_2=second)
    eu = "https://api.eu.sendgrid.com"
    made = config(**both, SENDGRID_API_KEY_2="two", SENDGRID_URL_2=eu)
    assert [(one.name, one.key, one.api) for one in made.providers] == [
        ("sendgrid", "one", "https://api.sendgrid.com"),
        ("sendgrid-2", "two", eu),
    ]
    assert "two" not in repr(made) and "two" not in repr(made.providers)


def test_an_unknown_name_and_both_forms_of_a_secret_are_errors(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="NEWSLETTER_NONSENSE"):
        read_environment({"NEWSLETTER_NONSENSE": "1"})
    path = tmp_path / "secret"
    path.write_text("from a file\n")
    assert read_environment({"NEWSLETTER_SECRET_KEY_FILE": str(path)})["SECRET_KEY"] == "from a file"
    path.write_text("\n")
    assert read_environment({"NEWSLETTER_MAIL_URL_FILE": str(path)})["MAIL_URL"] == "outbox:", (
        "an empty file sets nothing"
    )
    path.write_text("from a file\n")
    with pytest.raises(SettingsError, match="both set"):
        read_environment({"NEWSLETTER_SECRET_KEY_FILE": str(path), "NEWSLETTER_SECRET_KEY": "x"})
    with pytest.raises(SettingsError, match="cannot read"):
        read_environment({"NEWSLETTER_SECRET_KEY_FILE": str(tmp_path / "missing")})
    with pytest.raises(SettingsError):
        read_environment({"NEWSLETTER_BIND_FILE": str(path)})


@pytest.mark.parametrize("url", ["mysql://x/y", "postgres://host", "nonsense"])
def test_other_databases_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="NEWSLETTER_DATABASE_URL"):
        settings.database(url, tmp_path)


def test_a_database_url_is_read_whole(tmp_path: Path) -> None:
    made = settings.database("postgres://us%40er:p%2Fw@db.example:5433/news?sslmode=require", tmp_path)
    assert (made["USER"], made["PASSWORD"], made["HOST"], made["PORT"], made["NAME"]) == (
        "us@er",
        "p/w",
        "db.example",
        5433,
        "news",
    )
    assert made["OPTIONS"]["sslmode"] == "require"


def test_keys_are_made_once_for_one_reader(tmp_path: Path) -> None:
    first, second = dict(DEFAULTS), dict(DEFAULTS)
    prepare_keys(first, tmp_path / "data")
    prepare_keys(second, tmp_path / "data")
    assert first["ADDRESS_KEYS"] == second["ADDRESS_KEYS"]
    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    path = tmp_path / "data" / "keys"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        prepare_keys(dict(DEFAULTS), tmp_path / "data")


def test_keys_missing_beside_a_database_are_not_made_anew(tmp_path: Path) -> None:
    (tmp_path / "newsletter.sqlite3").write_bytes(b"")
    with pytest.raises(SettingsError, match="kept keys file"):
        prepare_keys(dict(DEFAULTS), tmp_path)
    assert not (tmp_path / "keys").exists()


def test_who_comes_second_takes_the_keys_of_who_made_the_database_meanwhile(tmp_path: Path) -> None:
    """Between its look for the keys and its own try to make them, another process made both."""
    prepare_keys(dict(DEFAULTS), tmp_path)
    first = (tmp_path / "keys").read_text()
    (tmp_path / "newsletter.sqlite3").touch()
    key_file._write_keys(tmp_path / "keys", dict(DEFAULTS))
    assert (tmp_path / "keys").read_text() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys", "newsletter.sqlite3"]


def test_processes_that_start_at_once_get_the_same_keys(tmp_path: Path) -> None:
    code = "from newsletter import settings; print(settings.SECRET_KEY)"
    environment = {**os.environ, "NEWSLETTER_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert len({process.communicate(timeout=60)[0] for process in started}) == 1


def test_several_webhook_keys_may_stand_side_by_side() -> None:
    made = config(SENDGRID_WEBHOOK_KEY=f"{_public(ec.SECP256R1())}, {_public(ec.SECP256R1())}")
    assert len(made.sendgrid_webhook_keys) == 2
    assert config().sendgrid_webhook_keys == () and config().bounce_maildir is None
    assert config(BOUNCE_MAILDIR="/var/mail/bounces").bounce_maildir == Path("/var/mail/bounces")
