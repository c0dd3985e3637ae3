#!/bin/sh
# A primary and its streaming standby over Unix sockets below a folder, of the PostgreSQL in a bin folder or of the oldest there is. Prints "ready", and ends both, and the folder, when its standard input does.
set -e
folder=$1
bin=${2:-$(ls -d /usr/lib/postgresql/*/bin | sort -V | head -1)}
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; else "$@"; fi; }
server() {
    if [ "$(id -u)" = 0 ]; then set -- setpriv --reuid=65534 --regid=65534 --clear-groups "$bin/postgres" -D "$1"; else set -- "$bin/postgres" -D "$1"; fi
    "$@" >/dev/null 2>&1 </dev/null &
    servers="$servers $!"
}
answers() { for _ in $(seq 300); do as psql -qXAth "$1" -U postgres postgres -c 'SELECT 1' >/dev/null 2>&1 && return; sleep 0.1; done; exit 1; }
stop() { for pid in $servers; do kill -QUIT "$pid" 2>/dev/null || true; done; wait; rm -rf "$folder"; }
trap stop EXIT
trap 'exit 1' TERM INT HUP
servers=
mkdir -p "$folder/p" "$folder/s" "$folder/ts"
chmod 755 "$folder"
if [ "$(id -u)" = 0 ]; then chown 65534:65534 "$folder/p" "$folder/s" "$folder/ts"; fi
as "$bin/initdb" -D "$folder/p/data" -U postgres -A trust --no-sync >/dev/null 2>&1
# A client needs a password for the roles below on any socket.
printf 'local all keeper,drill_reader scram-sha-256\nlocal replication keeper scram-sha-256\nlocal all all trust\nlocal replication all trust\n' \
    >"$folder/p/data/pg_hba.conf"
# Autovacuum's transactions would be counted among those that a test loses.
printf "listen_addresses=''\nautovacuum=off\nunix_socket_directories='%s'\nfsync=off\nwal_level=replica\narchive_mode=on\narchive_command='false'\n" \
    "$folder/p" >>"$folder/p/data/postgresql.conf"
server "$folder/p/data"
answers "$folder/p"
sql() { as psql -qXh "$folder/p" -U postgres "$@" >/dev/null 2>&1; }
sql -c "CREATE DATABASE shop" -c "CREATE TABLESPACE elsewhere LOCATION '$folder/ts'" \
    -c "CREATE ROLE keeper LOGIN REPLICATION PASSWORD 'k33per-of-standbys'"
sql shop -c "CREATE TABLE a (i int PRIMARY KEY)" -c "INSERT INTO a SELECT generate_series(1, 1000)" \
    -c "CREATE TABLE b (i int) TABLESPACE elsewhere" -c "INSERT INTO b VALUES (1)" \
    -c "CREATE ROLE drill_reader LOGIN PASSWORD 'r3ader:of\\standbys'" -c "GRANT ALL ON a, b TO drill_reader"
as "$bin/pg_basebackup" -h "$folder/p" -U postgres -D "$folder/s/data" -R -X stream -c fast --no-sync -T "$folder/ts=$folder/s/ts" >/dev/null 2>&1
# On a machine under load replay lags, and one that lags for half a minute would end every reader at once.
printf "unix_socket_directories='%s'\nmax_standby_streaming_delay='10min'\n" "$folder/s" >>"$folder/s/data/postgresql.conf"
# What pg_basebackup wrote may hold words of a newer libpq than the server finds.
echo "primary_conninfo='host=$folder/p user=postgres'" >>"$folder/s/data/postgresql.auto.conf"
server "$folder/s/data"
answers "$folder/s"
echo ready
cat >/dev/null
