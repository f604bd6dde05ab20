#!/bin/sh
# The main job, shown: a daemon with a stored policy, and every Python found here refused a process.
#
#     tests/demo.sh BUILD-DIRECTORY
#
# Everything happens in a temporary directory, and nothing is left behind.
set -eu
build=$(cd "$1" && pwd)
source=$(cd "$(dirname "$0")/.." && pwd)
PATH=$build/bin:$PATH
directory=$(mktemp -d /tmp/warder-demo-XXXXXX)
daemon=

finish() {
    if [ -n "$daemon" ]; then
        kill "$daemon" 2>/dev/null || true
        wait "$daemon" 2>/dev/null || true
    fi
    rm -rf "$directory"
}
trap finish EXIT
trap 'exit 130' INT TERM

if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
    strong=$(printf '\033[1m') plain=$(printf '\033[0m')
else
    strong='' plain=''
fi
title() { printf '\n%s%s%s\n\n' "$strong" "$*" "$plain"; }

# show COMMAND...: the command as a person would type it, then what it says, indented.
show() {
    printf '  $ %s\n' "$shown"
    "$@" 2>&1 | sed 's/^/    /'
}

code='import subprocess; subprocess.run(["id"])'
admin=$directory/admin.sock
session=$directory/session.sock

title "1. A daemon, with a policy in its store"
: >"$directory/daemon.log" # to be looked into before the daemon's shell has made it
warderd --foreground --state-dir "$directory/state" --socket "$session" >"$directory/daemon.log" 2>&1 &
daemon=$!
printf '  $ warderd --foreground --state-dir ... --socket ... &\n'
tries=0
until grep -q 'ready:' "$directory/daemon.log"; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ] || ! kill -0 "$daemon" 2>/dev/null; then
        cat "$directory/daemon.log" >&2
        echo "demo: the daemon did not start" >&2
        exit 1
    fi
    sleep 0.1
done
shown="warder apply policies/no-process.warder"
show warder apply --admin-socket "$admin" "$source/policies/no-process.warder"
shown="warder list"
show warder list --admin-socket "$admin"

python3 "$source/tests/system/interpreters.py" >"$directory/interpreters" || exit 1
count=$(wc -l <"$directory/interpreters")
title "2. Interpreters found: $count. The same line of Python, first without Warder, then under the policy"
refused=0
while read -r name path; do
    printf '  %sCPython %s%s  %s\n' "$strong" "$name" "$plain" "$path"
    shown="python3 -c '$code'"
    show "$path" -c "$code"
    shown="warder run --policy no-process -- python3 -c '$code'"
    printf '  $ %s\n' "$shown"
    status=0
    warder run --socket "$session" --policy no-process -- "$path" -c "$code" \
        >"$directory/output" 2>&1 || status=$?
    tail -n 1 "$directory/output" | sed 's/^/    /'
    printf '    exit status %s\n\n' "$status"
    if [ "$status" -eq 1 ] && grep -q '^warder.PolicyDenied: .* denied by local/no-process.no-exec' \
        "$directory/output"; then
        refused=$((refused + 1))
    fi
done <"$directory/interpreters"

title "3. What happened, from the record of the daemon"
shown="warder log --denied"
show warder log --admin-socket "$admin" --denied
shown="warder status"
show warder status --admin-socket "$admin"

if [ "$refused" -ne "$count" ] || [ "$count" -eq 0 ]; then
    printf '\ndemo: %s of %s interpreters were refused\n' "$refused" "$count" >&2
    exit 1
fi
title "Refused: $refused of $count. Nothing of this demonstration is left on the machine."
