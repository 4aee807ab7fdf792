"""Loaded before Django's settings (`-p tests.environment`): a clean environment, and the database that TEST_DATABASE names."""

import atexit
import os
import shutil
import tempfile

from hypothesis import settings as hypothesis_settings

from tests import services

for name in [name for name in os.environ if name.startswith("NEWSLETTER_") and name != "NEWSLETTER_APT"]:
    del os.environ[name]
_data = tempfile.mkdtemp(prefix="newsletter-test-")
atexit.register(shutil.rmtree, _data, ignore_errors=True)
os.environ["NEWSLETTER_DATA_DIR"] = _data
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's synchronous interface runs a loop of its own
if os.environ.get("TEST_DATABASE") == "postgres":
    _server = services.Postgres()
    _server.start()
    atexit.register(_server.stop)
    os.environ["NEWSLETTER_DATABASE_URL"] = _server.new_database()

hypothesis_settings.register_profile("tests", deadline=None, print_blob=True)
hypothesis_settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis_settings.register_profile("fast", deadline=None, max_examples=20)  # `make test-fast`
hypothesis_settings.load_profile("ci" if os.environ.get("CI") else "tests")
