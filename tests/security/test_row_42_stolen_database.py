"""Row 42: whoever takes the database, without the keys, finds no address and no keyword in it, nor how long they are.

The canary of `test_row_38_secrets_in_logs.py` is looked for in every table and log; here are lengths, references and files.
"""

import os
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import BinaryField

from newsletter import wiring
from newsletter.config.key_file import prepare_keys
from newsletter.config.validators import SettingsError
from newsletter.delivery.ledger.reports import listing
from newsletter.lib import db
from newsletter.lib.crypto import STEP, Vault, new_keys, parse_keys
from newsletter.lib.mail.references import read_reference, reference
from newsletter.models import Delivery, Gate
from tests.security import installation

pytestmark = pytest.mark.django_db(transaction=True)

#: Key id, nonce and tag stand around what is sealed.
_AROUND = 12 + 16


def test_a_copy_without_the_keys_tells_no_address_no_keyword_no_length_and_no_reference(
    settings, httpserver, tmp_path
) -> None:
    with installation.installed(settings, httpserver, tmp_path):
        installation.lived_in()
        sealed_columns_tell_steps_only()
        references_lead_to_nobody()
        files_hold_nothing_in_clear()


def sealed_columns_tell_steps_only() -> None:
    columns = [
        (model, field.name)
        for model in apps.get_app_config("newsletter").get_models()
        for field in model._meta.fields
        if isinstance(field, BinaryField) and "cipher" in field.name
    ]
    assert len(columns) >= 5
    for model, name in columns:
        sealed = [bytes(value) for value in model.objects.values_list(name, flat=True) if value is not None]
        assert sealed, f"nothing was sealed in {model.__name__}.{name}"
        assert {(len(value) - _AROUND) % STEP for value in sealed} == {0}, f"{model.__name__}.{name}"


def references_lead_to_nobody() -> None:
    shown = {row.reference for row in listing(wiring.vault())}
    ids = set(Delivery.objects.values_list("id", flat=True))
    assert len(ids) > 5 and {read_reference(one, wiring.vault()) for one in shown} == ids
    secret, keys = new_keys()
    stranger = Vault(secret.encode(), *parse_keys(keys))
    assert not {read_reference(one, stranger) for one in shown} & ids
    assert not {reference(number, stranger) for number in ids} & shown


def files_hold_nothing_in_clear() -> None:
    content = b"".join(path.read_bytes() for path in _files())
    assert bytes(Gate.objects.get().check_index) in content, "these are not the files of this database"
    # a word of no other test: they share the write-ahead log of the server
    for canary in ("stays@example.org", "pending@example.org", "quinquereme"):
        assert canary.encode() not in content and canary.encode("utf-16-le") not in content, canary


def test_people_with_short_and_with_long_addresses_look_the_same(settings, httpserver, tmp_path) -> None:
    with installation.installed(settings, httpserver, tmp_path):
        for name in ("a@b.example.org", f"{'long' * 10}@example.org"):
            installation.road.subscribe(name, keywords=(name.partition("@")[0] + "word",))
        for table, column in (("subscriber", "address_cipher"), ("topic", "query_cipher")):
            found = db.rows(f"SELECT length({column}) FROM {table} WHERE {column} IS NOT NULL")
            assert found == [(STEP + _AROUND,)] * 2


def _files() -> list[Path]:
    """SQLite's file with its journal; PostgreSQL's tables of this database and its write-ahead log."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return [path for path in Path(name).parent.glob(f"{Path(name).name}*") if path.is_file()]
    db.execute("CHECKPOINT")
    (directory,) = db.rows("SELECT current_setting('data_directory')")[0]
    (oid,) = db.rows("SELECT oid FROM pg_database WHERE datname=current_database()")[0]
    return [
        path for folder in (f"base/{oid}", "pg_wal") for path in Path(directory, folder).glob("*") if path.is_file()
    ]


def test_the_data_directory_and_the_keys_are_for_their_owner_only(tmp_path) -> None:
    data = tmp_path / "data"
    before = os.umask(0)
    try:
        prepare_keys({"SECRET_KEY": "", "ADDRESS_KEYS": ""}, data)
    finally:
        os.umask(before)
    assert data.stat().st_mode & 0o777 == 0o700
    assert (data / "keys").stat().st_mode & 0o777 == 0o600
    (data / "keys").chmod(0o640)
    with pytest.raises(SettingsError, match="can be read by others"):
        prepare_keys({"SECRET_KEY": "", "ADDRESS_KEYS": ""}, data)
