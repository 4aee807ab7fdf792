"""Examine what the service stands on: keys, database, alias packs, broker, proxy, Python."""

import socket
import stat
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError

from newsletter import wiring
from newsletter.cli.service.doctor.finding import Finding, found
from newsletter.cli.service.migrations import is_migrated
from newsletter.delivery.gates import sending_gate
from newsletter.lib import db
from newsletter.lib.crypto import KeysDoNotFit
from newsletter.lib.loopback import is_loopback
from newsletter.lib.mail import message
from newsletter.matching.aliases import pack_files
from newsletter.matching.aliases.pack_files import InvalidPack

_LOSSY = (
    "PostgreSQL has {settings}: after a crash it may have forgotten what was written before mails left, and these would "
    "be sent twice. Set fsync and synchronous_commit to on"
)
_HIDDEN = "the sign-up limit per network is off: set NEWSLETTER_TRUSTED_PROXY to the proxy in front (docs/deploy.md)"
_OPEN_BROKER = (
    "Redis is on another machine and asks for no password: set requirepass there, and redis://:PASSWORD@HOST here"
)


def keys_file() -> Finding:
    """Whether the keys are in a file that only its owner can read."""
    directory = wiring.config().data_dir
    path = directory / "keys"
    if directory.exists() and directory.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding("keys", "warn", f"other users can look into {directory}: run 'chmod 700 {directory}'")
    if not path.exists():
        return Finding("keys", "ok", "from the environment: keep a copy, without them no address can be read")
    return Finding("keys", "ok", f"in {path}: keep a copy: without it no address can be read")


def database() -> Finding:
    """Whether the database answers, has the tables of this version, and forgets nothing in a crash."""
    try:
        if not is_migrated():
            return Finding("database", "fail", "the tables are not those of this version: run 'newsletter migrate'")
    except DatabaseError:
        return Finding("database", "fail", "it does not answer: check NEWSLETTER_DATABASE_URL")
    lossy = _lossy_settings() if db.is_postgres() else ""
    return found("database", _LOSSY.format(settings=lossy) if lossy else "", "answers, with the tables of this version")


def _lossy_settings() -> str:
    """Settings of PostgreSQL with which a crash may undo a commit. SQLite is opened with our own."""
    names = ("fsync", "synchronous_commit")
    values = db.rows("SELECT current_setting('fsync'), current_setting('synchronous_commit')")[0]
    return " and ".join(f"{name}={value}" for name, value in zip(names, values, strict=True) if value == "off")


def keys_fit() -> Finding:
    """Whether the keys decrypt what is stored."""
    try:
        sending_gate.create_gate(wiring.vault())
    except KeysDoNotFit as error:
        return Finding("keys fit", "fail", f"{error}. Put back the keys file that was kept")
    return Finding("keys fit", "ok", "they decrypt what is stored")


def packs() -> Iterator[Finding]:
    """Whether the alias packs can be read."""
    names = pack_files.pack_names(settings.PACKS_DIR)
    for name in names:
        try:
            pack_files.read_pack(settings.PACKS_DIR / f"{name}.yaml")
        except InvalidPack as error:
            yield Finding("alias packs", "fail", str(error))
            return
    yield Finding("alias packs", "ok", ", ".join(names) or "none")


def broker() -> Finding:
    """Whether Redis answers, and is not open to everybody."""
    if wiring.config().embedded:
        return Finding("broker", "ok", "in memory, which is right for one process")
    url = urlsplit(wiring.config().broker_url)
    host = url.hostname or "localhost"
    if not url.password and not is_loopback(host):
        return Finding("broker", "warn", _OPEN_BROKER)
    try:
        with socket.create_connection((host, url.port or 6379), timeout=3):
            return Finding("broker", "ok", "answers")
    except OSError:
        return Finding("broker", "warn", "does not answer: mail is still sent, up to a minute later. Start Redis")


def proxy() -> Finding:
    """Whether visitors can be told apart. Pages over https come through a proxy, whose address would be everybody's."""
    config = wiring.config()
    if config.clients_hidden:
        return Finding("proxy", "warn", _HIDDEN)
    names = ", ".join(map(str, config.trusted_proxy))
    trusted = f"{names}: what it reports of its visitors is trusted"
    return Finding("proxy", "ok", trusted if names else "none: visitors connect directly")


def python() -> Finding:
    """Whether this Python keeps line breaks out of mail headers."""
    safe: Callable[[], bool] = message.safe_python
    if safe():
        return Finding("mail headers", "ok", "on this Python a title cannot add headers")
    return Finding("mail headers", "fail", "on this Python a title can add headers: upgrade Python")
