"""The running service, once for a worker of the tests: it is attacked, and never restarted."""

from collections.abc import Iterator

import pytest

from tests.security.service import Service
from tests.web.conftest import anna, browser, lasting, manage, topics  # noqa: F401 - fixtures

TOKEN = "b6c1-for-this-test"


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """As behind a proxy at 127.0.0.2 that ends TLS, with both ways to the figures. Its data directory was there before."""
    directory = tmp_path_factory.mktemp("service")
    (directory / "data").mkdir(mode=0o755)
    settings = {
        "BASE_URL": "https://news.example.org",
        "TRUSTED_PROXY": "127.0.0.2",
        "METRICS_TOKEN": TOKEN,
        "METRICS_BIND": "127.0.0.1:{metrics}",
    }
    with Service(directory, **settings).running() as running:
        yield running
