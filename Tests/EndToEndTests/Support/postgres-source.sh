#!/bin/sh
# One PostgreSQL of a bin folder over a Unix socket in a folder of its own, with the settings that follow. Prints "ready", and ends it, and the folder, when
# its standard input does.
set -e
bin=$1
folder=$2
shift 2
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; else "$@"; fi; }
stop() { [ -z "$server" ] || kill -QUIT "$server" 2>/dev/null || true; wait; rm -rf "$folder"; }
trap stop EXIT
trap 'exit 1' TERM INT HUP
server=
mkdir -p "$folder/p"
chmod 755 "$folder"
if [ "$(id -u)" = 0 ]; then chown 65534:65534 "$folder/p"; fi
as "$bin/initdb" -D "$folder/p/data" -U postgres -A trust --no-sync --locale=C.UTF-8 -E UTF8 >/dev/null 2>&1
printf "listen_addresses=''\nunix_socket_directories='%s'\nfsync=off\n" "$folder/p" >>"$folder/p/data/postgresql.conf"
for setting in "$@"; do echo "$setting" >>"$folder/p/data/postgresql.conf"; done
if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=65534 --regid=65534 --clear-groups "$bin/postgres" -D "$folder/p/data" >"$folder/p/log" 2>&1 </dev/null &
else
    "$bin/postgres" -D "$folder/p/data" >"$folder/p/log" 2>&1 </dev/null &
fi
server=$!
for _ in $(seq 300); do
    as psql -qXAth "$folder/p" -U postgres postgres -c 'SELECT 1' >/dev/null 2>&1 && { echo ready; cat >/dev/null; exit 0; }
    sleep 0.1
done
exit 1
