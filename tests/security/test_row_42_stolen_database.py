"""Row 42: whoever takes the database, without the keys, finds no address and no keyword in it, nor how long they are.

`test_secrets_at_rest.py` looks for a canary in every table and log; here are lengths, references, and the files themselves.
"""

import os
import subprocess
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import BinaryField

from newsletter import db, wiring
from newsletter.delivery import status
from newsletter.models import Delivery, Gate
from newsletter.references import read_reference, reference
from newsletter.vault import STEP, Vault, new_keys, parse_keys
from tests.security import installation

pytestmark = pytest.mark.django_db(transaction=True)

#: Key id, nonce and tag stand around what is sealed.
_AROUND = 12 + 16


@pytest.fixture
def lived(settings, httpserver, tmp_path):
    with installation.installed(settings, httpserver, tmp_path):
        installation.lived_in()
        yield


def test_every_sealed_column_tells_steps_of_64_bytes_only(lived) -> None:
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


def test_people_with_short_and_with_long_addresses_look_the_same(settings, httpserver, tmp_path) -> None:
    with installation.installed(settings, httpserver, tmp_path):
        for name in ("a@b.example.org", f"{'long' * 10}@example.org"):
            installation.road.subscribe(name, words=(name.partition("@")[0] + "word",))
        for table, column in (("subscriber", "address_cipher"), ("topic", "query_cipher")):
            found = db.rows(f"SELECT length({column}) FROM {table} WHERE {column} IS NOT NULL")
            assert found == [(STEP + _AROUND,)] * 2


def test_a_reference_and_the_database_do_not_tell_whose_mail_it_is(lived) -> None:
    shown = {row.reference for row in status.listing(wiring.vault())}
    ids = set(Delivery.objects.values_list("id", flat=True))
    assert {read_reference(one, wiring.vault()) for one in shown} == ids
    secret, keys = new_keys()
    stranger = Vault(secret.encode(), *parse_keys(keys))
    assert not {read_reference(one, stranger) for one in shown} & ids
    assert not {reference(number, stranger) for number in ids} & shown


def test_the_files_of_the_database_hold_no_address_and_no_keyword(lived) -> None:
    files = _files()
    content = b"".join(path.read_bytes() for path in files)
    assert len(content) > 100_000
    assert bytes(Gate.objects.get().check_index) in content, "these are not the files of this database"
    for canary in ("stays@example.org", "pending@example.org", "submarine"):
        assert canary.encode() not in content and canary.encode("utf-16-le") not in content, canary


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


def test_the_data_directory_is_for_its_owner_only(tmp_path) -> None:
    data = tmp_path / "data"
    told = os.environ | {"NEWSLETTER_DATA_DIR": str(data)}
    told.pop("NEWSLETTER_DATABASE_URL", None)
    script = "import os; os.umask(0); from newsletter.__main__ import main; main()"
    subprocess.run(["python", "-c", script, "migrate"], env=told, check=True, capture_output=True)
    assert data.stat().st_mode & 0o777 == 0o700
    assert (data / "keys").stat().st_mode & 0o777 == 0o600
