#!/bin/sh
# Sets up and passes the tests: ./test.sh [PYTEST ARGUMENTS …]
# As root on Debian it installs Redis, PostgreSQL and Chromium when they are missing (not with NEWSLETTER_APT=0); elsewhere what
# needs them is skipped, and said. REQUIRE_SERVICES=1 turns such a skip into a failure.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd "$here"
. scripts/setup.sh
. scripts/services.sh
install_services
set_up "$here/.venv-test" "$here/requirements-dev.lock"
bin="$here/.venv-test/bin"
export PATH="$bin:$PATH" PYTHONPATH="$here" DJANGO_SETTINGS_MODULE=newsletter.settings
unset PYTHONDONTWRITEBYTECODE # byte code is kept, or each process started would compile everything again
if [ $# -gt 0 ]; then
    exec "$bin/python" -m pytest "$@"
fi
NEWSLETTER_DATA_DIR=$(mktemp -d)
export NEWSLETTER_DATA_DIR
trap 'rm -rf "$NEWSLETTER_DATA_DIR"' EXIT
say() { printf '\n== %s\n' "$1"; }
say "format and lint"
"$bin/ruff" format --check .
"$bin/ruff" check .
say "types"
"$bin/mypy"
say "floors"
"$bin/lint-imports"
# much of a test is waiting for a process: three times as many as there are processors, and fewer where processes are killed
cores=$(nproc 2>/dev/null || echo 2)
at_once="-n ${TEST_WORKERS:-$((cores * 3))} --dist worksteal"
say "tests, on SQLite"
# Property tests try a third of their examples; `make properties` tries sixty times as many. `make coverage` measures coverage.
EXAMPLES=${EXAMPLES:-0.3} "$bin/python" -m pytest $at_once
say "faults: processes, Redis and PostgreSQL killed while mail goes out"
FAULTS=1 "$bin/python" -m pytest -n "${TEST_WORKERS:-$((cores * 2))}" --dist worksteal tests/faults/test_scenarios.py
say "rooms, ledger and journeys, on PostgreSQL"
TEST_DATABASE=postgres "$bin/python" -m pytest $at_once \
    tests/lib tests/config tests/worker tests/feeds tests/matching tests/editions tests/delivery tests/subscribers \
    tests/admins tests/audit tests/status tests/journey tests/security
