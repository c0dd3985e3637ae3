#!/usr/bin/env bash
# redis-cli 7.0.15 (Debian 12): `-e`, "return exit error code when command execution fails", concerns a command among the arguments alone.
# Commands that come on standard input may all fail: it prints their errors, and ends with 0.
#
# Guessed: with -e a failed command ends redis-cli with 1, wherever the command came from.
# Output seen:
#   as arguments: exit 1, ERR wrong number
#   on standard input: exit 0, ERR wrong number
#   on standard input, and then a good one: exit 0, ERR wrong number
# It matters to smoke tests after a restore, `redis-cli -e <checks`: they pass whatever the server says.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
server=
cd "$work"
apt-get download redis-server=5:7.0.15-1~deb12u10 redis-tools=5:7.0.15-1~deb12u10 >/dev/null 2>&1
for d in ./*.deb; do dpkg -x "$d" root; done
root/usr/bin/redis-server --port 0 --unixsocket "$work/s" --save '' --dir "$work" >/dev/null 2>&1 &
server=$!
cli() { root/usr/bin/redis-cli -s "$work/s" "$@"; }
for _ in $(seq 100); do [ "$(cli PING 2>/dev/null || true)" = PONG ] && break; sleep 0.1; done
tell() {
    local name=$1 code=0
    shift
    cli -e "$@" >said 2>&1 || code=$?
    echo "$name: exit $code, $(grep -o 'ERR wrong number' said || echo 'no error said')"
}
seen=$(
    tell 'as arguments' GET a b
    echo 'GET a b' >one && tell 'on standard input' <one
    printf 'GET a b\nPING\n' >two && tell 'on standard input, and then a good one' <two
)
expected='as arguments: exit 1, ERR wrong number
on standard input: exit 0, ERR wrong number
on standard input, and then a good one: exit 0, ERR wrong number'
if [ "$seen" != "$expected" ]; then
    printf 'changed\nexpected:\n%s\nseen:\n%s\n' "$expected" "$seen"
    exit 1
fi
echo "holds: redis-cli 7.0.15 -e ends with 0 where commands on standard input fail"
