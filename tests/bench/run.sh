#!/bin/sh
# What `./dev bench` runs:
#
#     tests/bench/run.sh BUILD_DIRECTORY [--json FILE] [NAME]
#
# What the numbers mean, and how far they can be trusted, is said in README.md beside this file.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ ! -x "${1:-}/bin/warder" ]; then
    echo "usage: tests/bench/run.sh BUILD_DIRECTORY [NAME]" >&2
    exit 2
fi
work=$(mktemp -d)
chmod 711 "$work" # sessions of another user, where there are too many for one
trap 'rm -rf "$work"' EXIT INT TERM
"${CC:-cc}" -O2 -std=gnu17 -Wall -Wextra -o "$work/echo" "$here/echo.c"
"${CC:-cc}" -O2 -std=gnu17 -Wall -Wextra -fPIC -shared -o "$work/empty_hook.so" "$here/empty_hook.c"
"${CC:-cc}" -O2 -std=gnu17 -Wall -Wextra -fPIC -shared -o "$work/name_hook.so" "$here/name_hook.c"
"${CC:-cc}" -O2 -std=gnu17 -Wall -Wextra -o "$work/broker" "$here/broker.c"
build=$(cd "$1" && pwd)
shift
"${CC:-cc}" -O2 -std=gnu17 -Wall -Wextra -I"$here/../.." -I"$build" -o "$work/load" "$here/load.c" \
    "$build/archive/libwarder_proto.a" "$build/archive/libwarder_engine.a" -lprotobuf-c
"${CC:-cc}" -O2 -std=gnu17 -Wall -Wextra -o "$work/echo_server" "$here/echo_server.c" -luv
if [ $# -eq 0 ] || [ "$1" = policy ] || { [ "$1" = --json ] && [ $# -eq 2 ]; }; then
    libraries=$build/archive
    "${CC:-cc}" -O2 -std=gnu17 -Wall -Wextra -I"$here/../.." -o "$work/policy" "$here/policy.c" \
        "$libraries/libwarder_language.a" "$libraries/libwarder_engine.a" "$libraries/libwarder_catalogue.a"
    "$work/policy" "${WARDER_BENCH_ROUNDS:-15}"
    [ "${1:-}" != policy ] || exit 0
fi
python3 "$here/bench.py" "$build" "$work" "$@"
