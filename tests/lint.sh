#!/bin/sh
# What `./dev lint` runs: everything that can be said of the sources without running them. One line
# for each check; exit status 1 if one of them failed. The words of a failed check come before its
# line.
#
# Not covered: the generated code is compiled, but neither formatted nor searched for defects; and
# for Windows and arm64 nothing is linked or run.
set -u
cd "$(dirname "$0")/.." || exit 1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
failed=no

# check NAME FUNCTION: runs it, says how it ended.
check() {
    if "$2" >"$work/said" 2>&1; then
        printf 'lint: %-14s ok      %s\n' "$1" "$(tail -n 1 "$work/said")"
    else
        cat "$work/said"
        printf 'lint: %-14s FAILED\n' "$1"
        failed=yes
    fi
}

count() { wc -l <"$1" | tr -d ' '; }

# ------------------------------------------------------------------------------------------ layout

check_format() {
    git ls-files '*.c' '*.h' '*.cc' >"$work/sources"
    xargs clang-format --dry-run -Werror <"$work/sources" || return 1
    echo "$(count "$work/sources") files"
}

# Files are read as the shells of other systems would read them, too: all of them are POSIX.
check_shell() {
    git ls-files dev .ci/run '*.sh' >"$work/scripts"
    while read -r script; do
        sh -n "$script" || return 1
    done <"$work/scripts"
    command -v shellcheck >/dev/null 2>&1 || {
        echo "$(count "$work/scripts") scripts, syntax alone: there is no shellcheck"
        return 0
    }
    xargs shellcheck --shell=sh <"$work/scripts" || return 1
    echo "$(count "$work/scripts") scripts"
}

check_python() {
    git ls-files '*.py' >"$work/modules"
    # Syntax of the oldest interpreter that is supported: the scripts of tests/ run under each.
    python3 - "$work/modules" <<'EOT' || return 1
import ast, sys
failed = 0
for name in open(sys.argv[1]).read().split("\n")[:-1]:
    try:
        ast.parse(open(name, encoding="utf-8").read(), name, feature_version=(3, 8))
    except SyntaxError as error:
        print(f"{name}:{error.lineno}: {error.msg}")
        failed = 1
sys.exit(failed)
EOT
    echo "$(count "$work/modules") files"
}

# --------------------------------------------------------------------------------------- compilers

build() {
    cmake --preset "$1" -Wno-dev && cmake --build --preset "$1"
}
check_gcc() { build dev && gcc --version | head -n 1; }
check_clang() { build clang && clang --version | head -n 1; }
# Built by nothing else from day to day, they would be broken when they are wanted.
check_fuzzers() { tests/fuzz/run.sh --build && echo "$(tests/fuzz/run.sh --list | wc -l) targets"; }

# ----------------------------------------------------------------------------------------- windows

# proto/ and policies/ are to be part of a Windows hook. Everything of them is compiled but what
# names another system: NAME_linux.c, NAME_posix.c, and message_socket.h and packet_socket.h, which
# speak of descriptors and users and have no NAME_windows.c behind them yet.
#
# There is no protobuf-c for mingw-w64 in Debian 12. Its one header needs nothing but the C library,
# so Debian's own serves: found by a link, for /usr/include itself holds the headers of glibc. That is
# enough to compile; to link, a protobuf-c for Windows would have to be built.
check_windows() {
    mkdir -p "$work/include"
    ln -sfn /usr/include/protobuf-c "$work/include/protobuf-c"
    git ls-files 'policies/*.c' 'proto/*.c' | grep -v -e '_linux\.c$' -e '_posix\.c$' >"$work/portable"
    echo build/policies/catalogue/catalogue_tables.c >>"$work/portable"
    while read -r source; do
        compile_for_windows "$source" -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 \
            -Wundef -Wstrict-prototypes -Wmissing-prototypes -Werror || return 1
    done <"$work/portable"
    # Generated code is not ours to warn about.
    compile_for_windows build/proto/warder.pb-c.c -w || return 1
    echo "$(count "$work/portable") files, and the messages against Debian's protobuf-c.h;" \
        "left out: $(git ls-files 'policies/*.c' 'proto/*.c' | grep -e '_linux\.c$' -e '_posix\.c$' |
            xargs -n 1 basename | xargs)"
}

# As the build does, beside the compiler.
compile_for_windows() {
    source=$1
    shift
    x86_64-w64-mingw32-gcc -std=gnu17 -O2 -fno-common -I. -Ibuild -isystem "$work/include" "$@" \
        -c "$source" -o "$work/object.o" || {
        echo "$source does not compile for Windows"
        return 1
    }
}

# ------------------------------------------------------------------------------------------- arm64

# What goes into libwarder.so, and the engine: with the warnings of cmake/Warnings.cmake. It needs the C
# library alone, which comes with the cross compiler, and the header of protobuf-c as above. Nothing is
# linked or run; tests/arm64/run.sh does both.
check_arm64() {
    mkdir -p "$work/include"
    ln -sfn /usr/include/protobuf-c "$work/include/protobuf-c"
    git ls-files 'policies/catalogue/*.c' 'policies/engine/*.c' 'proto/*.c' 'client/floor/*.c' 'client/hook/*.c' \
        client/hook/boundary_native_jump.S client/hook/boundary_jump_aarch64.S >"$work/hook"
    echo build/policies/catalogue/catalogue_tables.c >>"$work/hook"
    xargs -n 8 -P "$(nproc)" tests/arm64/compile.sh "$work/include" -Wall -Wextra -Wpedantic -Wshadow \
        -Wconversion -Wformat=2 -Wundef -Werror <"$work/hook" || return 1
    # Generated code is not ours to warn about.
    tests/arm64/compile.sh "$work/include" -w build/proto/warder.pb-c.c || return 1
    echo "$(count "$work/hook") files, and the messages against Debian's protobuf-c.h"
}

# ----------------------------------------------------------------------------------------- defects

check_tidy() { python3 tests/tidy.py build-clang; }

check clang-format check_format
check shell check_shell
check python check_python
check gcc check_gcc
check clang check_clang
check fuzzers check_fuzzers
check windows check_windows
check arm64 check_arm64
check clang-tidy check_tidy

[ "$failed" = no ]
