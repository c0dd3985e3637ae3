#!/bin/sh
# One Redis or Valkey, named by its server's path, over a Unix socket in a folder of its own, with the arguments that follow. Prints "ready", and ends it, and the
# folder, when its standard input does.
set -e
program=$1
folder=$2
shift 2
server=
stop() { [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true; wait; rm -rf "$folder"; }
trap stop EXIT
trap 'exit 1' TERM INT HUP
mkdir -p "$folder/r"
chmod 755 "$folder"
if [ "$(id -u)" = 0 ]; then chown 65534:65534 "$folder/r"; fi
set -- "$program" --dir "$folder/r" --port 0 --unixsocket "$folder/r/redis.sock" --unixsocketperm 777 --save '' --daemonize no "$@"
if [ "$(id -u)" = 0 ]; then set -- setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; fi
"$@" >"$folder/r/log" 2>&1 </dev/null &
server=$!
for _ in $(seq 200); do
    [ "$(redis-cli -s "$folder/r/redis.sock" PING 2>/dev/null)" = PONG ] && { echo ready; cat >/dev/null; exit 0; }
    sleep 0.05
done
exit 1
