#!/usr/bin/env bash
# pg_cron 1.4.2 (Debian 12's postgresql-15-cron 1.4.2-2+b1, on PostgreSQL 15.20): `cron.max_running_jobs = 0` is accepted, and jobs run all the same. 1.4 has no
# `cron.launch_active_jobs` either: set in the configuration it is taken as a name that nobody knows. What stops the scheduler of a server that must preload the
# library is `max_worker_processes = 0`: then it isn't started.
#
# Guessed: no job runs with a limit of 0 running jobs, as the setting's name says.
# Output seen, after the change of a minute:
#   max_running_jobs=0 launch_active_jobs=off: schedulers 1, jobs ran yes
#   max_worker_processes=0: schedulers 0, jobs ran no
# It matters to whoever starts a restored copy of a production database: its jobs would run there.
set -euo pipefail
work=$(mktemp -d)
pids=()
trap '[ ${#pids[@]} -eq 0 ] || kill -QUIT "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null; rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
apt-get download postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1 postgresql-15-cron=1.4.2-2+b1 >/dev/null 2>&1
for d in ./*.deb; do dpkg -x "$d" pg; done
bin=$work/pg/usr/lib/postgresql/15/bin
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; else "$@"; fi; }
ask() { as "$bin/psql" -qXAt -h "$work/$1" -U postgres postgres -c "$2"; }
start() { # name, settings…
    mkdir "$1" && { [ "$(id -u)" != 0 ] || chown 65534:65534 "$1"; }
    as "$bin/initdb" -D "$work/$1/data" -U postgres -A trust --no-sync >/dev/null 2>&1
    local folder=$work/$1; shift
    printf '%s\n' "listen_addresses=''" "unix_socket_directories='$folder'" "shared_preload_libraries='pg_cron'" "cron.host='$folder'" "$@" >>"$folder/data/postgresql.conf"
    if [ "$(id -u)" = 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups "$bin/postgres" -D "$folder/data" >/dev/null 2>&1 & else "$bin/postgres" -D "$folder/data" >/dev/null 2>&1 & fi
    pids+=($!)
    for _ in $(seq 100); do ask "${folder##*/}" 'SELECT 1' >/dev/null 2>&1 && return; sleep 0.1; done
    exit 1
}
start a "cron.max_running_jobs=0" "cron.launch_active_jobs=off"
start b "max_worker_processes=0"
for s in a b; do
    ask "$s" "CREATE EXTENSION pg_cron" && ask "$s" "CREATE TABLE ticks (at timestamptz DEFAULT now())"
    ask "$s" "SELECT cron.schedule('t', '* * * * *', 'INSERT INTO ticks DEFAULT VALUES')" >/dev/null
done
sleep 75
tell() { echo "$2: schedulers $(ask "$1" "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE '%cron%'"), jobs ran $(ask "$1" "SELECT CASE WHEN count(*) > 0 THEN 'yes' ELSE 'no' END FROM ticks")"; }
seen=$(tell a 'max_running_jobs=0 launch_active_jobs=off'; tell b 'max_worker_processes=0')
expected='max_running_jobs=0 launch_active_jobs=off: schedulers 1, jobs ran yes
max_worker_processes=0: schedulers 0, jobs ran no'
if [ "$seen" != "$expected" ]; then
    printf 'changed\nexpected:\n%s\nseen:\n%s\n' "$expected" "$seen"
    exit 1
fi
echo "holds: pg_cron 1.4.2 runs jobs with cron.max_running_jobs = 0; max_worker_processes = 0 keeps its scheduler from starting"
