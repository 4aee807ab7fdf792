"""What makes the suite fast: byte code is kept, and the workers of a run share a server but no database."""

import os
import sys

import pytest
from django.db import connection


def test_byte_code_is_kept_here_and_in_every_process_that_a_test_starts() -> None:
    assert not sys.dont_write_bytecode
    assert "PYTHONDONTWRITEBYTECODE" not in os.environ


@pytest.mark.django_db
def test_each_worker_has_a_database_of_its_own(worker_id: str) -> None:
    assert worker_id == "master" or worker_id in str(connection.settings_dict["NAME"])
