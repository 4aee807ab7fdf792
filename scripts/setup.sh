# Makes a virtual environment with exactly what a lock file names. Needs Python 3.11+ and pip, and nothing else.

find_python() {
    for name in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        [ -n "$name" ] && command -v "$name" >/dev/null 2>&1 || continue
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$name"
            return
        fi
    done
    echo "newsletter: Python 3.11 or newer is needed: install it, or name it with PYTHON=/path/to/python3" >&2
    return 1
}

# set_up FOLDER LOCK: does nothing when the folder already holds what the lock says
set_up() {
    venv=$1
    lock=$2
    python=$(find_python) || exit 1
    want=$(cat "$lock" | "$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read() + sys.version.encode()).hexdigest())')
    if [ -f "$venv/.ready" ] && [ "$(cat "$venv/.ready")" = "$want" ]; then
        return
    fi
    echo "newsletter: setting up $(basename "$venv") (once, about half a minute) …" >&2
    rm -rf "$venv"
    # Debian's python3 may lack ensurepip: then the machine's own pip installs into an environment without one
    if "$python" -m venv "$venv" >/dev/null 2>&1; then
        pip="$venv/bin/python -m pip"
    else
        rm -rf "$venv"
        "$python" -m venv --without-pip "$venv" || { echo "newsletter: $python cannot make a virtual environment" >&2; exit 1; }
        "$python" -m pip --version >/dev/null 2>&1 || { echo "newsletter: pip is needed: install python3-pip" >&2; exit 1; }
        pip="$python -m pip --python $venv/bin/python"
    fi
    $pip install --quiet --disable-pip-version-check --no-input --require-hashes --only-binary :all: -r "$lock" || {
        echo "newsletter: the packages of $(basename "$lock") could not be installed: see above" >&2
        exit 1
    }
    printf '%s\n' "$want" >"$venv/.ready"
}
