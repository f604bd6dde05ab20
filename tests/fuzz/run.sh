#!/bin/sh
# What `./dev fuzz` and `./dev test --full` run:
#
#     tests/fuzz/run.sh SECONDS [NAME]    one target, or each of them, for so many seconds each; as
#                                         many targets at once as there are cores
#     tests/fuzz/run.sh --list            their names, and what they are about
#     tests/fuzz/run.sh --build           builds all of them, and runs none: for lint
#
# Builds into build-fuzz (clang, AddressSanitizer, UndefinedBehaviorSanitizer, leaks looked for).
# What was found interesting stays in build-fuzz/corpus/NAME and is begun with the next time, beside
# the seeds: those of tests/fuzz/seeds, what make_seeds.py writes, and the policies of the tree. An
# input that fails is kept in build-fuzz/failed and named; exit status 1 then.
set -eu
cd "$(dirname "$0")/../.."

here=tests/fuzz
build="build-fuzz"

targets() {
    for source in "$here"/fuzz_*.c; do
        name=${source#"$here"/fuzz_}
        name=${name%.c}
        # fuzz_scene.c is what targets share.
        [ "$name" = scene ] || echo "$name"
    done
}

list() {
    for name in $(targets); do
        # The first sentence of the source.
        printf '%-14s %s\n' "$name" "$(sed -n '1{s|^/\* *||;s|[.,:].*||;p;}' "$here/fuzz_$name.c")"
    done
}

# One build at a time: tests run side by side.
build_targets() {
    mkdir -p "$build"
    exec 9>"$build/.lock"
    flock 9
    cmake -S . -B "$build" -G Ninja -Wno-dev -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
        -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
        -DWARDER_FUZZERS=ON -DWARDER_SANITIZE=address,undefined >/dev/null
    for name in "$@"; do set -- "$@" "fuzz_$name"; shift; done
    cmake --build "$build" --target "$@"
    exec 9>&-
}

# The directories with seeds of a target, beside its own corpus.
seeds_of() {
    case $1 in
    policy) echo tests/unit/policies/bad policies ;;
    format) echo tests/unit/policies/format tests/unit/policies/bad policies ;;
    *) [ ! -d "$here/seeds/$1" ] || echo "$here/seeds/$1" ;;
    esac
}

# fuzz NAME SECONDS
fuzz() {
    corpus=$build/corpus/$1
    mkdir -p "$corpus" "$build/seeds/$1" "$build/failed"
    python3 "$here/make_seeds.py" "$1" "$build/seeds/$1"
    set -- "$1" "$2" -max_total_time="$2" -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="$build/failed/$1-"
    dictionary=$here/$1.dict
    [ "$1" != format ] || dictionary=$here/policy.dict
    [ ! -f "$dictionary" ] || set -- "$@" -dict="$dictionary"
    name=$1
    log=$build/$name.log
    shift 2
    # shellcheck disable=SC2046
    if ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1 \
        "$build/tests/fuzz/fuzz_$name" "$@" "$corpus" "$build/seeds/$name" $(seeds_of "$name") \
        >"$log" 2>&1; then
        printf 'fuzz: %-14s ok      %s inputs\n' "$name" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    else
        tail -n 60 "$log"
        printf 'fuzz: %-14s FAILED  the input is in %s/failed, the whole report in %s\n' \
            "$name" "$build" "$log"
        return 1
    fi
}

case ${1:-} in
--list) list ;;
--build)
    # shellcheck disable=SC2046
    build_targets $(targets)
    ;;
'' | *[!0-9]*)
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
*)
    seconds=$1
    names=${2:-$(targets)}
    case " $(targets | tr '\n' ' ')" in
    *" ${2:-} "*) ;;
    *)
        [ -z "${2:-}" ] || {
            echo "fuzz: there is no target $2; there are:" >&2
            list >&2
            exit 2
        }
        ;;
    esac
    # shellcheck disable=SC2086
    build_targets $names
    failed=$(mktemp)
    running=0
    for name in $names; do
        (fuzz "$name" "$seconds" || echo "$name" >>"$failed") &
        running=$((running + 1))
        if [ "$running" -ge "$(nproc)" ]; then
            wait
            running=0
        fi
    done
    wait
    if [ -s "$failed" ]; then
        rm -f "$failed"
        exit 1
    fi
    rm -f "$failed"
    ;;
esac
