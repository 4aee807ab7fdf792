#!/bin/sh
# Sets everything up on a machine with Python 3.11+ and pip, then starts the service: ./run.sh [COMMAND …]
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/scripts/setup.sh"
set_up "$here/.venv" "$here/requirements.lock"
# hints and examples name the command that was typed
case $0 in
*/*) _NEWSLETTER_COMMAND=$0 ;;
*) _NEWSLETTER_COMMAND=./$0 ;;
esac
export _NEWSLETTER_COMMAND
exec "$here/.venv/bin/newsletter" "${@:-run}"
