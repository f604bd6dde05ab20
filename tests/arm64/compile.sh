#!/bin/sh
# compile.sh INCLUDE [-OPTION]... SOURCE...: compiles each source for arm64 as the build does, beside the
# compiler and its warnings, and keeps nothing. What is included of libraries is looked for in INCLUDE.
set -eu

include=$1
shift
options=
while [ $# -gt 0 ]; do
    case $1 in
    -*) options="$options $1" ;;
    *) break ;;
    esac
    shift
done
object=$(mktemp)
trap 'rm -f "$object"' EXIT
for source in "$@"; do
    case $source in
    # Options of C are no options of the assembler's.
    *.S) language= ;;
    *) language="-std=gnu17 -Wstrict-prototypes -Wmissing-prototypes" ;;
    esac
    # shellcheck disable=SC2086
    aarch64-linux-gnu-gcc $language -O2 -D_FORTIFY_SOURCE=2 -fPIC -fno-common -fstack-protector-strong \
        -fstack-clash-protection -DWARDER_VERSION='""' -I. -Ibuild -isystem "$include" $options \
        -c "$source" -o "$object" || {
        echo "$source does not compile for arm64"
        exit 1
    }
done
