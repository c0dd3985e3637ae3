#!/usr/bin/env bash
# GNU objcopy 2.40 (Debian 12's binutils 2.40-2): `--remove-section` of a program's build id also drops its GNU_RELRO segment, without a word
# and with exit 0. The program runs on as before, but tables that the dynamic linker closes after start stay writable. `objcopy -S` and
# `strip`, without that option, keep the segment.
#
# Guessed: a note of 20 bytes goes, and nothing else changes.
# Output seen, for redis-cli of Debian's redis-tools:
#   as packaged: relro 1, build id 1
#   objcopy -S: relro 1, build id 1
#   objcopy --remove-section=.note.gnu.build-id: relro 0, build id 0, exit 0
#   still runs: redis-cli
# It matters to whoever takes the build id away for the same bytes of two builds: `ld --build-id=none`, or LLVM's objcopy, keep RELRO.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download binutils=2.40-2 binutils-x86-64-linux-gnu=2.40-2 libbinutils=2.40-2 libctf0=2.40-2 redis-tools=5:7.0.15-1~deb12u10 >/dev/null 2>&1
for d in ./*.deb; do dpkg -x "$d" root; done
tool() { LD_LIBRARY_PATH=$(echo root/usr/lib/*-linux-gnu) "root/usr/bin/x86_64-linux-gnu-$1" "${@:2}"; }
program=root/usr/bin/redis-cli
tell() { echo "$1: relro $(tool readelf -lW "$2" | grep -c GNU_RELRO), build id $(tool readelf -nW "$2" 2>/dev/null | grep -c 'Build ID')"; }
tool objcopy -S "$program" stripped
tool objcopy --remove-section=.note.gnu.build-id "$program" without && code=0 || code=$?
seen=$(
    tell 'as packaged' "$program"
    tell 'objcopy -S' stripped
    echo "$(tell 'objcopy --remove-section=.note.gnu.build-id' without), exit $code"
    echo "still runs: $(./without --version | cut -d' ' -f1)"
)
expected='as packaged: relro 1, build id 1
objcopy -S: relro 1, build id 1
objcopy --remove-section=.note.gnu.build-id: relro 0, build id 0, exit 0
still runs: redis-cli'
if [ "$seen" != "$expected" ]; then
    printf 'changed\nexpected:\n%s\nseen:\n%s\n' "$expected" "$seen"
    exit 1
fi
echo "holds: GNU objcopy 2.40 drops GNU_RELRO where --remove-section takes the build id away"
