#!/bin/sh
# Sets everything up on a machine with Python 3.11+ and pip, then starts the service: ./run.sh [COMMAND …]
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/scripts/setup.sh"
set_up "$here/.venv" "$here/requirements.lock"
# relative paths in settings mean the folder of this file, wherever it is called from
cd "$here"
export PYTHONPATH="$here"
exec "$here/.venv/bin/python" -m newsletter "${@:-run}"
