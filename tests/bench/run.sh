#!/bin/sh
# What `./dev bench` runs:
#
#     tests/bench/run.sh BUILD_DIRECTORY [NAME]
#
# What the numbers mean, and how far they can be trusted, is said in README.md beside this file.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ ! -x "${1:-}/bin/warder" ]; then
    echo "usage: tests/bench/run.sh BUILD_DIRECTORY [NAME]" >&2
    exit 2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
"${CC:-cc}" -O2 -std=gnu17 -Wall -Wextra -o "$work/echo" "$here/echo.c"
build=$(cd "$1" && pwd)
shift
python3 "$here/bench.py" "$build" "$work" "$@"
