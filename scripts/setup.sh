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

# quoted TEXT: TEXT as one word of a shell script
quoted() {
    printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}

# write_command FOLDER: FOLDER/bin/newsletter, which works wherever it is called from
write_command() {
    root=$(quoted "$(dirname "$1")")
    text=$(
        cat <<END
#!/bin/sh
# Written by scripts/setup.sh. Relative paths in settings mean the folder of the checkout, wherever this is called from;
# files named on the command line are looked for where it is called.
case "\${_NEWSLETTER_COMMAND:-}:\$(command -v newsletter)" in
    ":\$0") ;;
    :*) export _NEWSLETTER_COMMAND="\$0" ;;
esac
export _NEWSLETTER_FOLDER="\$PWD"
export PYTHONPATH=$root
cd $root || exit 1
exec $(quoted "$1")/bin/python -m newsletter "\$@"
END
    )
    if [ "$(cat "$1/bin/newsletter" 2>/dev/null)" != "$text" ]; then
        printf '%s\n' "$text" >"$1/bin/newsletter"
        chmod +x "$1/bin/newsletter"
    fi
}

# set_up FOLDER LOCK: makes the environment, if FOLDER does not hold what LOCK says, and the command in it
set_up() {
    make_environment "$1" "$2"
    write_command "$1"
}

# make_environment FOLDER LOCK: does nothing if FOLDER holds what LOCK says already
make_environment() {
    venv=$1
    lock=$2
    python=$(find_python) || exit 1
    want=$(cat "$lock" | "$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read() + sys.version.encode()).hexdigest())')
    is_ready && return
    # two commands that are started together must not both make it
    until mkdir "$venv.lock" 2>/dev/null; do
        holder=$(cat "$venv.lock/pid" 2>/dev/null || true)
        if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then
            rm -rf "$venv.lock" # it was ended before it was done
        else
            sleep 0.2
        fi
    done
    echo $$ >"$venv.lock/pid"
    is_ready || install_packages
    rm -rf "$venv.lock"
}

is_ready() {
    [ -f "$venv/.ready" ] && [ "$(cat "$venv/.ready")" = "$want" ]
}

install_packages() {
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
