#!/usr/bin/env bash
# What ./dev says when the build root cannot be made, and what it leaves behind: nothing.
# Runs on the host (commands.sh, stage "set-up"). usage: setup_test.sh RESULTS
set -uo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
results=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# NAME EXPECTED-TEXT: the run in $work/err must have failed, said EXPECTED-TEXT, and left no root.
check() {
    local name=$1 expected=$2 why=""
    [ "$status" != 0 ] || why="it did not fail"
    grep -qF "$expected" "$work/err" || why="it did not say: $expected"
    [ -z "$(find "$work/cache" -maxdepth 1 -name '*root-*' -o -maxdepth 1 -name 'partial-root.*' 2>/dev/null)" ] ||
        why="it left something half-made behind"
    if [ -z "$why" ]; then
        printf 'passed\t%s\n' "$name" >>"$results"
        echo "passed $name"
    else
        printf 'failed\t%s\n' "$name" >>"$results"
        echo "FAILED $name: $why"
        sed 's/^/    /' "$work/err"
    fi
}
dev() { # with an empty cache
    rm -rf "$work/cache"
    env QUOIN_CACHE="${cache:-$work/cache}" "$@" "$top/dev" shell true >/dev/null 2>"$work/err"
    status=$?
}

dev QUOIN_MIRROR=http://127.0.0.1:9
check set_up__mirror_unreachable__says_which_and_leaves_nothing "Is http://127.0.0.1:9 reachable?"

mkdir "$work/shim"
printf '#!/bin/sh\necho; echo "disk 1 1 100 1%% /"\n' >"$work/shim/df"
chmod +x "$work/shim/df"
dev PATH="$work/shim:$PATH"
check set_up__disk_full__says_how_much_is_needed "needs 4000 MB in $work/cache and 100 MB are free"

cache=/proc/nowhere dev
check set_up__cache_not_writable__says_what_to_set "cannot write to /proc/nowhere: set QUOIN_CACHE"

# A leftover of a killed run goes away; that the next step fails is only there to end it early.
dev_with_leftover() {
    rm -rf "$work/cache" && mkdir -p "$work/cache/partial-root.1/usr"
    QUOIN_CACHE=$work/cache PATH="$work/shim:$PATH" "$top/dev" shell true >/dev/null 2>"$work/err"
    status=$?
}
dev_with_leftover
check set_up__leftover_of_a_killed_run__is_removed "removing partial-root.1"

# Ended while it makes the root (apt retries an unreachable mirror for seconds): no process, no folder stays.
rm -rf "$work/cache"
QUOIN_CACHE=$work/cache QUOIN_MIRROR=http://127.0.0.1:9 "$top/dev" shell true >/dev/null 2>"$work/err" &
making=$!
exec {never}<> <(:)
until compgen -G "$work/cache/partial-root.*" >/dev/null || ! kill -0 "$making"; do read -rt 0.1 -u "$never"; done
kill -TERM "$making"
wait "$making"
status=$?
[ -z "$(pgrep -f "$work/cache/partial-root")" ] || status=0
check set_up__ended_while_making_the_root__leaves_no_process_and_no_folder "nothing half-made is left behind"

! grep -q ^failed "$results"
