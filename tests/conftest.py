"""Fixtures that all rooms share."""

import os
from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TypeVar
from unittest import TestCase

import pytest
from django.db import connection
from hypothesis import is_hypothesis_test

from newsletter import wiring
from newsletter.lib.crypto import Vault
from tests import append_only, factories, services

T = TypeVar("T")


def _or_skip(make: Callable[[], T]) -> T:
    try:
        return make()
    except services.Missing as missing:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail(f"{missing} is not installed, and REQUIRE_SERVICES is set")
        pytest.skip(f"{missing} is not installed")


#: Folders whose tests start whole processes, or need a service in other ways than by a fixture.
WHOLE_PROCESSES = frozenset({"browser", "cli", "faults", "journey", "packaging", "security"})
#: Folders whose tests repeat what the tests of single parts reach.
NOT_MEASURED = frozenset({"faults", "journey", "security"})
SERVICES = frozenset({"redis_server", "postgres_server", "chromium_path", "spamassassin_path"})
DATABASES = frozenset({"db", "transactional_db", "django_db_setup"})


@pytest.hookimpl(wrapper=True)  # marked before -m is looked at, sorted when pytest-django has done so
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
    """Mark unit tests. On PostgreSQL keep what asks for a database: all else does the same on both, and was tried on SQLite.

    Coverage nearly doubles what a test costs. It is not measured where lines are only repeated: in property tests, which run a
    hundred times through what examples reach, and in the folders of `NOT_MEASURED`.
    """
    for item in items:
        if _is_unit(item):
            item.add_marker("unit")
        if is_hypothesis_test(getattr(item, "obj", None)) or _folder(item) in NOT_MEASURED:
            item.add_marker("no_cover")
    if os.environ.get("TEST_DATABASE") == "postgres":
        config.hook.pytest_deselected(items=[item for item in items if not _runs_on_postgres(item)])
        items[:] = [item for item in items if _runs_on_postgres(item)]
    yield
    items[:] = _spread(items)


def _spread(items: list[pytest.Item]) -> list[pytest.Item]:
    """Tests that wait for processes, evenly among those that compute: pytest-xdist first gives each worker a stretch of the list.

    The last quarter of the list has none, or a worker would still wait when the others have nothing left to do.
    """
    waiting = [item for item in items if _waits(item)]
    computing = [item for item in items if not _waits(item)]
    # a file's tests stay together, for the fixtures that they share; a fault's scenario takes long by itself
    groups = [
        list(group) for _, group in groupby(waiting, lambda item: (item.path, _folder(item) == "faults" and item))
    ]
    between = max(1, len(computing) * 3 // 4 // max(1, len(groups)))
    spread: list[pytest.Item] = []
    for number, group in enumerate(groups):
        spread += group + computing[number * between : (number + 1) * between]
    return spread + computing[len(groups) * between :]


def _waits(item: pytest.Item) -> bool:
    return _folder(item) in WHOLE_PROCESSES and not _asks_for_a_database(item)


def _runs_on_postgres(item: pytest.Item) -> bool:
    return _asks_for_a_database(item) or _folder(item) == "faults"


def _asks_for_a_database(item: pytest.Item) -> bool:
    return bool(DATABASES & _fixtures(item)) or item.get_closest_marker("django_db") is not None


def _is_unit(item: pytest.Item) -> bool:
    if issubclass(getattr(item, "cls", None) or object, TestCase):  # Django's own opens a database
        return False
    return _folder(item) not in WHOLE_PROCESSES and not SERVICES & _fixtures(item) and not _asks_for_a_database(item)


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A database for each worker. SQLite in a file, as it is used: one in memory is locked differently between threads.

    Nothing waits for the disk, as on the PostgreSQL of `tests/services.py`: no test pulls the plug.
    """
    if connection.vendor == "sqlite":
        options = connection.settings_dict["OPTIONS"]
        options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")
        append_only.let_flush_empty_it()
        connection.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(autouse=True)
def no_index_of_another_test() -> None:
    """Tests are rolled back, so that topics of other tests come again under the same numbers."""
    wiring.topic_index.cache_clear()
    wiring.item_index.cache_clear()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[services.Redis]:
    """A real Redis on a free port."""
    server = _or_skip(services.Redis)
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[services.Postgres]:
    """A real PostgreSQL on a free port; `new_database()` gives a URL."""
    server = _or_skip(services.Postgres)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Where Chromium is."""
    return _or_skip(services.chromium)


@pytest.fixture(scope="session")
def spamassassin_path() -> str:
    """Where SpamAssassin is. Nothing installs it and nothing requires it: its rules change with its version."""
    try:
        return services.spamassassin()
    except services.Missing as missing:
        pytest.skip(f"{missing} is not installed")


@pytest.fixture
def vault() -> Vault:
    """Keys of tests."""
    return factories.VAULT


@pytest.fixture
def now() -> datetime:
    """A fixed moment."""
    return factories.NOW
