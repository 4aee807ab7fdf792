# Redis, PostgreSQL and Chromium for the tests, from Debian's packages, where that can be done.

install_services() {
    missing=""
    command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || missing="$missing postgresql"
    command -v chromium >/dev/null 2>&1 || missing="$missing chromium fonts-noto-core fonts-noto-cjk"
    [ -n "$missing" ] || return 0
    if [ "${NEWSLETTER_APT:-1}" = 0 ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        echo "newsletter: not installed, so what needs it is skipped:$missing" >&2
        return 0
    fi
    echo "newsletter: installing$missing …" >&2
    # the packages must neither start daemons nor make a cluster: the tests start their own, on free ports
    policy=/usr/sbin/policy-rc.d
    made=""
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        made=yes
    fi
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    log=$(mktemp)
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        echo "newsletter: could not install$missing: what needs it is skipped" >&2
    fi
    rm -f "$log"
    [ -z "$made" ] || rm -f "$policy"
}
