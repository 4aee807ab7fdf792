"""What the scenarios are made from: a PostgreSQL that keeps what it committed, templates of a thousand people."""

import os
from collections.abc import Iterator

import pytest

from tests import services
from tests.conftest import _or_skip
from tests.faults import servers

PEOPLE, SIZE = 1_000, 10

#: The scenarios of real processes want the machine for themselves: ./test.sh runs them on their own.
collect_ignore = [] if os.environ.get("FAULTS") == "1" else ["test_scenarios.py"]


@pytest.fixture(scope="session")
def server_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Template]:
    server = _or_skip(lambda: services.Postgres(durable=True))
    _or_skip(services.Redis).close()
    server.start()
    yield servers.Template(server, tmp_path_factory.mktemp("faults"), PEOPLE, SIZE)
    server.stop()


@pytest.fixture(scope="session")
def window_template(server_template: servers.Template, tmp_path_factory: pytest.TempPathFactory) -> servers.Template:
    """Batches of several windows."""
    return servers.Template(server_template.postgres, tmp_path_factory.mktemp("windows"), PEOPLE, 150)


@pytest.fixture(scope="session")
def file_template(tmp_path_factory: pytest.TempPathFactory) -> servers.Template:
    return servers.Template(None, tmp_path_factory.mktemp("faults-sqlite"), PEOPLE, SIZE)
