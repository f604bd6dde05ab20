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
if [ "${1:-policy}" = policy ]; then
    libraries=$build/archive
    "${CC:-cc}" -O2 -std=gnu17 -Wall -Wextra -I"$here/../.." -o "$work/policy" "$here/policy.c" \
        "$libraries/libwarder_language.a" "$libraries/libwarder_engine.a" "$libraries/libwarder_catalogue.a"
    "$work/policy" "${WARDER_BENCH_ROUNDS:-15}"
    [ $# -eq 0 ] || exit 0
fi
python3 "$here/bench.py" "$build" "$work" "$@"
