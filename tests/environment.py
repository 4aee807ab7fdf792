"""Loaded before Django's settings (`-p tests.environment`): a clean environment, and the database that TEST_DATABASE names."""

import atexit
import os
import shutil
import sys
import tempfile

from hypothesis import settings as hypothesis_settings

from tests import services

for name in [name for name in os.environ if name.startswith("NEWSLETTER_") and name != "NEWSLETTER_APT"]:
    del os.environ[name]
# Images of containers often switch byte code off. Here every worker and every process started would compile all of it again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
_data = tempfile.mkdtemp(prefix="newsletter-test-")
atexit.register(shutil.rmtree, _data, ignore_errors=True)
os.environ["NEWSLETTER_DATA_DIR"] = _data
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's synchronous interface runs a loop of its own
if os.environ.get("TEST_DATABASE") == "postgres":
    if "TEST_DATABASE_URL" not in os.environ:  # the workers of pytest-xdist get it from the process that started them
        _server = services.Postgres(max_connections="400")
        _server.start()
        atexit.register(_server.stop)
        os.environ["TEST_DATABASE_URL"] = _server.new_database()
    os.environ["NEWSLETTER_DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]

#: How many times as many examples a property test tries as it usually does: many in `make properties`, few in `make test-fast`,
#: and few on PostgreSQL, where the same statements only run again.
_EXAMPLES = float(os.environ.get("EXAMPLES") or (0.25 if os.environ.get("TEST_DATABASE") == "postgres" else 1))


def examples(usual: int) -> int:
    """How many examples to try of what usually needs `usual`: for `@settings(max_examples=examples(40))`."""
    return max(1, round(usual * _EXAMPLES))


hypothesis_settings.register_profile("tests", deadline=None, print_blob=True, max_examples=examples(100))
hypothesis_settings.register_profile("ci", deadline=None, derandomize=True, max_examples=examples(100))
hypothesis_settings.load_profile("ci" if os.environ.get("CI") else "tests")
