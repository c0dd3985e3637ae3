#!/bin/sh
# A Redis, its replica, and a stranger, each on a Unix socket below a folder; they replicate over loopback, by password. Prints "ready", and ends all,
# and the folder, when its standard input does.
set -e
folder=$1
servers=
stop() { for pid in $servers; do kill -KILL "$pid" 2>/dev/null || true; done; wait; rm -rf "$folder"; }
trap stop EXIT
trap 'exit 1' TERM INT HUP
mkdir -p "$folder"
chmod 755 "$folder"
server() {
    name=$1
    mkdir -p "$folder/$name"
    # Users of the least rights: for a copy as a snapshot, for one key by key as well, and for neither.
    {
        printf 'dir %s\nunixsocket %s/redis.sock\nunixsocketperm 777\nsave ""\nrepl-diskless-sync-delay 0\nrequirepass %s\n' \
            "$folder/$name" "$folder/$name" "$name-of-pairs"
        echo "user keeper on >k33per-of-pairs ~* -@all +info +replconf +sync +psync"
        echo "user reader on >k33per-of-pairs ~* -@all +info +select +scan +dump +pexpiretime +function|dump"
        echo "user looker on >k33per-of-pairs ~* -@all +info"
        shift
        printf '%s\n' "$@"
    } >"$folder/$name/redis.conf"
    # For a test's own commands.
    echo "$name-of-pairs" >"$folder/$name/auth"
    if [ "$(id -u)" = 0 ]; then chown -R 65534:65534 "$folder/$name"; fi
    if [ "$(id -u)" = 0 ]; then set -- setpriv --reuid=65534 --regid=65534 --clear-groups redis-server "$folder/$name/redis.conf"
    else set -- redis-server "$folder/$name/redis.conf"; fi
    "$@" >"$folder/$name/log" 2>&1 </dev/null &
    servers="$servers $!"
}
ask() { name=$1; shift; REDISCLI_AUTH=$name-of-pairs redis-cli -s "$folder/$name/redis.sock" "$@"; }
until_holds() { for _ in $(seq 200); do if "$@"; then return; fi; sleep 0.05; done; exit 1; }
answers() { [ "$(ask "$1" PING 2>/dev/null)" = PONG ]; }
linked() { ask s INFO replication | grep -q master_link_status:up; }
port=$(shuf -i 20000-31999 -n 1)
server p "port $port" "bind 127.0.0.1" "enable-debug-command local"
server s "port 0" "replicaof 127.0.0.1 $port" "masterauth p-of-pairs" "replica-read-only yes"
server o "port 0"
for name in p s o; do until_holds answers "$name"; done
{
    for i in $(seq 500); do echo "SET session:$i value-$i"; done
    for i in $(seq 50); do echo "SET soon:$i x PX 3600000"; done
    echo "HSET hash field value"; echo "RPUSH list a b c"; echo "ZADD sorted 1.5 a"; echo "XADD stream * k v"
    printf '%s\n' 'SET "bytes\x00\xff" "\x00\x01\r\n"'
    echo "SELECT 3"; echo "SET other x"
} | ask p >/dev/null
ask p FUNCTION LOAD "#!lua name=own
redis.register_function('own', function() return 1 end)" >/dev/null
until_holds linked
ask p WAIT 1 5000 >/dev/null
echo ready
cat >/dev/null
