# The steps of ./dev. Sourced by ./dev; root.sh gives the environment.

BUILD=$QUOIN_TOP/build
# cmake/toolchains: core/ alone, run under QEMU. The second list is for whoever names one: CI has 20 minutes.
MACHINES="aarch64 cortex-m4 uefi"
MORE_MACHINES="armhf riscv64"
REPORTS=$BUILD/reports/$$ # of ./dev test: two may run at once

help() {
    cat <<'TEXT'
Quoin: industrial IoT that stays secure against quantum computers.

    ./dev demo [ARGS]      the whole plant on this machine, and an attack on it; Ctrl-C ends it
    ./dev test [NAME...]   all tests, or those with NAME in their name (unit, e2e, fuzz)
                           --asan, --tsan: the unit tests under a sanitizer instead
                           --clang: the tests of core/, built by clang, instead

    ./dev build [TARGET...]  builds into build/dev; without TARGET, everything
    ./dev fmt [FILE...]      formats C++ sources in place; without FILE, all of them
    ./dev lint [FILE...]     clang-tidy over what has changed since it last passed, style, formatting
    ./dev fuzz NAME [ARGS]   one fuzz target until it finds something or Ctrl-C (libFuzzer's ARGS)
    ./dev bench [NAME...]    the measurements of the README, from the hardened build
    ./dev shell [CMD...]     CMD, or a shell, in the build environment, built programs on PATH

The first run sets itself up: on Debian 13 it installs the packages of tools/packages.txt, elsewhere it
makes a Debian 13 root in ~/.cache/quoin (a minute or two, 2.5 GB) and works in there. Each step prints the
command it runs; ./dev shell runs any of them by hand.

    QUOIN_CACHE=DIR   build root and compiler cache      QUOIN_MIRROR=URL  Debian mirror
    QUOIN_JOBS=N      parallel jobs (default: by processors and memory)
TEXT
}

run() {
    printf '%s+ %s%s\n' "$DIM" "$*" "$PLAIN" >&2
    QUOIN_CWD=$QUOIN_TOP in_environment "$@"
}

# A compiler over Boost takes up to 2 GB: as many jobs as processors, and no more than memory can hold.
jobs_count() {
    [ -z "${QUOIN_JOBS:-}" ] || { echo "$QUOIN_JOBS"; return; }
    local processors available_mib limit
    processors=$(nproc)
    available_mib=$(awk '/^MemAvailable:/ {print int($2 / 1024)}' /proc/meminfo)
    limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
    if [ "$limit" != max ] && [ $((limit / 1048576)) -lt "$available_mib" ]; then
        available_mib=$((limit / 1048576))
    fi
    local by_memory=$((available_mib / 2000))
    [ "$by_memory" -ge 1 ] || by_memory=1
    echo $((processors < by_memory ? processors : by_memory))
}

# One build at a time in a folder: two ninjas would spoil each other's work.
lock_build() { # PRESET: until exec 8>&-
    mkdir -p "$BUILD"
    exec 8>"$BUILD/$1.lock"
    flock --nonblock 8 || { say "waiting for another build in build/$1"; flock 8; }
}

build() { # PRESET [TARGET...]
    local preset=$1 status=0
    shift
    lock_build "$preset"
    [ -f "$BUILD/$preset/build.ninja" ] || run cmake --preset "$preset" || return 1
    export NINJA_STATUS="[%f/%t %es] "
    run ninja -C "build/$preset" -j "$(jobs_count)" "$@" || status=$?
    exec 8>&-
    return "$status"
}

demo() {
    build dev programs
    say "+ quoin demo $*"
    QUOIN_PATH_PREFIX=$BUILD/dev/bin
    export QUOIN_PATH_PREFIX
    exec_in_environment "$BUILD/dev/bin/quoin" demo "$@"
}

shell() {
    QUOIN_PATH_PREFIX=$BUILD/dev/bin
    export QUOIN_PATH_PREFIX
    [ $# != 0 ] || set -- env PS1='(quoin) \w\$ ' bash --norc
    exec_in_environment "$@"
}

fuzz() { # NAME [libFuzzer arguments]
    [ $# -ge 1 ] || fail "name a fuzz target: ./dev fuzz NAME. They are: $(fuzz_names)"
    local name=$1
    shift
    [ -n "$(fuzz_names "$name")" ] || fail "no fuzz target is named $name. They are: $(fuzz_names)"
    build fuzz "$name"
    mkdir -p "$BUILD/fuzz/found/$name"
    # New inputs that reach new code go to the first folder; the committed ones are read only.
    run "build/fuzz/fuzz/$name" -rss_limit_mb=2048 -max_len=20000 -artifact_prefix="build/fuzz/found/" "$@" \
        "build/fuzz/found/$name" "$(corpus_of "$name")"
}

# Every quoin_fuzz(NAME SOURCE file CORPUS folder ...) of the tree, as "NAME folder".
fuzz_table() {
    find "$QUOIN_TOP" -name CMakeLists.txt -not -path "$BUILD/*" -print0 | while IFS= read -rd '' file; do
        local folder=${file%/CMakeLists.txt}
        tr '\n' ' ' <"$file" | grep -oE 'quoin_fuzz\([^)]*\)' |
            sed -E "s|quoin_fuzz\( *([a-z0-9_]+).*CORPUS +([^ )]+).*|\1 ${folder#"$QUOIN_TOP"/}/\2|" || true
    done
}
fuzz_names() { fuzz_table | awk -v name="${1:-}" 'name == "" || $1 == name {print $1}' | sort | paste -sd' '; }
corpus_of() { fuzz_table | awk -v name="$1" '$1 == name {print $2}'; }

bench() {
    local machine commit
    if [[ ${1:-} == @(counters|tls|ocsp) && ${2:--} == -* ]]; then # alone: not for what it does not run
        build release "bench_$1"
    else
        build release
        build cortex-m4 # for `crypto`
    fi
    machine="$(awk -F': ' '/^model name/ {print $2; exit}' /proc/cpuinfo), $(nproc) processors"
    commit=$(git -C "$QUOIN_TOP" describe --always --dirty 2>/dev/null || echo unknown)
    say "machine: $machine; commit $commit"
    QUOIN_PATH_PREFIX=$BUILD/release/bin run env "QUOIN_MACHINE=$machine" "QUOIN_COMMIT=$commit" python3 -B tests/bench/run.py "$@"
}

sources() {
    (cd "$QUOIN_TOP" && find . \( -name .git -o -name build -o -name node_modules \) -prune -o \
        \( -name '*.cpp' -o -name '*.hpp' \) -print | cut -c3- | sort)
}

fmt() {
    if [ $# = 0 ]; then
        mapfile -t files < <(sources)
        set -- "${files[@]}"
        run clang-format-19 -i "$@"
    else
        printf '%s+ clang-format-19 -i %s%s\n' "$DIM" "$*" "$PLAIN" >&2
        in_environment clang-format-19 -i "$@"
    fi
}

lint() {
    build dev
    run python3 tests/tidy/tidy.py
    run python3 tools/dev/lint.py --build build/dev --jobs "$(jobs_count)" "$@"
}

# --- ./dev test: stages, each timed; all run even when an earlier one fails, except after a failed build.

stage() { # NAME COMMAND...
    local name=$1 started=$SECONDS status=passed
    shift
    say "== $name"
    "$@" || status=failed
    printf '%s\t%s\t%d\n' "$name" "$status" "$((SECONDS - started))" >>"$REPORTS/stages.tsv"
    [ "$status" = passed ]
}

E2E="" # the stage that runs beside the others

# The closing line, whatever happened. The exit code is 0 only if something ran and nothing failed.
finish_test() {
    local status=$?
    trap - EXIT
    [ -z "$E2E" ] || pkill -TERM -P "$E2E" || true # nothing, unless we were interrupted
    run python3 tools/dev/tally.py "$REPORTS" "$status" || status=1
    exit "$status"
}

unit_tests() { # PRESET [NAME...]: GoogleTest programs and scripts, by ctest; each case is counted
    local preset=$1 pattern
    shift
    pattern=$(IFS='|' && echo "$*")
    run env GTEST_OUTPUT="json:$REPORTS/gtest/" GTEST_COLOR=no \
        ctest --test-dir "build/$preset" -LE fuzz ${pattern:+-R "$pattern"} -j "$(jobs_count)" \
        --output-on-failure --output-junit "$REPORTS/unit.xml"
}

e2e_tests() { # [NAME...]
    local expression
    expression=$(printf ' or %s' "$@")
    [ $# != 0 ] || expression=""
    QUOIN_PATH_PREFIX=$BUILD/dev/bin run python3 -B -m pytest -p no:cacheprovider -q -ra tests/e2e \
        ${expression:+-k "${expression# or }"} --junit-xml="$REPORTS/e2e.xml"
}

fuzz_tests() { # [NAME...]: short runs from the committed corpora
    local pattern
    pattern=$(IFS='|' && echo "$*")
    run ctest --test-dir build/fuzz -L fuzz ${pattern:+-R "$pattern"} -j "$(jobs_count)" \
        --output-on-failure --output-junit "$REPORTS/fuzz.xml"
}

build_machines() { # MACHINE...
    local machine status=0
    for machine in "$@"; do build "$machine" || status=1; done
    return "$status"
}

machine_tests() { # MACHINE...
    local machine status=0
    for machine in "$@"; do
        run ctest --test-dir "build/$machine" -R "^core_vectors_" -j "$(jobs_count)" \
            --output-on-failure --output-junit "$REPORTS/machine-$machine.xml" || status=1
    done
    return "$status"
}

# On the host, where there is a build root to make; ends early in each case, so it installs nothing.
setup_tests() {
    if [ "$KIND" = native ]; then
        say "no build root here: its set-up is not tested"
    else
        printf '%s+ tests/dev/setup_test.sh%s\n' "$DIM" "$PLAIN" >&2
        bash "$QUOIN_TOP/tests/dev/setup_test.sh" "$REPORTS/setup.tsv"
    fi
}

test_all() {
    stage "build (dev)" build dev || return 1
    stage "set-up" setup_tests || true
    stage "unit, vectors, style, constant time" unit_tests dev || true
    # The plants of e2e wait more than they work: the other builds run beside them, and give way.
    if [ -d "$QUOIN_TOP/tests/e2e" ]; then
        stage "e2e" e2e_tests >"$REPORTS/e2e.log" 2>&1 &
        E2E=$!
    fi
    (renice -n 19 "$BASHPID" >/dev/null && test_machines_and_fuzz)
    if [ -n "$E2E" ]; then
        wait "$E2E" || true
        cat "$REPORTS/e2e.log"
    fi
}

test_machines_and_fuzz() {
    say "not run unless named (./dev test core_vectors_MACHINE): $MORE_MACHINES; ./dev test --clang"
    # shellcheck disable=SC2086
    if stage "build (other machines)" build_machines $MACHINES; then
        stage "core on other machines" machine_tests $MACHINES || true
    fi
    if [ -n "$(fuzz_names)" ]; then
        # shellcheck disable=SC2046
        if stage "build (fuzz)" build fuzz $(fuzz_names); then stage "fuzz, short runs" fuzz_tests || true; fi
    fi
}

# What to build for these tests: programs of the same name; other tests are scripts, which use helpers.
targets_of() { # PRESET NAME...
    local preset=$1
    shift
    QUOIN_CWD=$QUOIN_TOP in_environment ninja -C "build/$preset" -t targets all | grep -oE "^[a-z0-9_]+: phony" | cut -d: -f1 |
        grep -xF "$(printf '%s\n' "$@")" || true
    echo test_helpers
}

unit_names() { # PRESET PATTERN
    QUOIN_CWD=$QUOIN_TOP in_environment ctest --test-dir "build/$1" -N -LE fuzz -R "$2" |
        awk '/^ *Test +#/ {print $NF}'
}

test_some() { # NAME...
    local pattern unit e2e fuzzers machine machines=""
    pattern=$(IFS='|' && echo "$*")
    build dev build.ninja || return 1
    unit=$(unit_names dev "$pattern")
    e2e=$([ ! -d "$QUOIN_TOP/tests/e2e" ] || grep -rhoE "def test_\w+" "$QUOIN_TOP/tests/e2e" | grep -cE "$pattern") || true
    fuzzers=$(fuzz_names | tr ' ' '\n' | grep -E "$pattern") || true
    for machine in $MACHINES $MORE_MACHINES; do
        [[ ! core_vectors_$machine =~ $pattern ]] || machines="$machines $machine"
    done
    [ -n "$unit$fuzzers$machines" ] || [ "${e2e:-0}" != 0 ] ||
        fail "no test has $* in its name; see: ./dev shell ctest --test-dir build/dev -N, tests/e2e, ./dev fuzz, and core_vectors_MACHINE of $MACHINES $MORE_MACHINES"
    # shellcheck disable=SC2046
    if [ -n "$unit" ] && stage "build (dev)" build dev $(targets_of dev $unit); then
        stage "unit" unit_tests dev "$@" || true
    fi
    # shellcheck disable=SC2086
    if [ -n "$machines" ] && stage "build (other machines)" build_machines $machines; then
        stage "core on other machines" machine_tests $machines || true
    fi
    if [ "${e2e:-0}" != 0 ] && stage "build (dev)" build dev programs se_search_fixture; then
        stage "e2e" e2e_tests "$@" || true
    fi
    if [ -n "$fuzzers" ]; then
        # shellcheck disable=SC2086
        if stage "build (fuzz)" build fuzz $fuzzers; then stage "fuzz, short runs" fuzz_tests "$@" || true; fi
    fi
}

test_sanitized() { # PRESET [NAME...]
    local preset=$1 names="" targets=""
    shift
    if [ $# != 0 ]; then
        build "$preset" build.ninja || return 1
        names=$(unit_names "$preset" "$(IFS='|' && echo "$*")")
        [ -n "$names" ] || fail "no unit test has $* in its name"
        # shellcheck disable=SC2086
        targets=$(targets_of "$preset" $names)
    fi
    # shellcheck disable=SC2086
    stage "build ($preset)" build "$preset" $targets || return 1
    stage "unit ($preset)" unit_tests "$preset" "$@" || true
}

# core/ built by the other compiler, which makes other branches of the same source. Five minutes of processor time from
# nothing, so only for whoever asks: clang's code of core/ is also run by the UEFI images and the fuzz targets.
test_clang() { # [NAME...]
    stage "build (clang)" build clang core/all || return 1
    stage "core (clang)" unit_tests clang/core "$@" || true
}

new_reports() {
    local old
    for old in "$BUILD"/reports/*; do
        [ -d "/proc/${old##*/}" ] || rm -rf "$old"
    done
    mkdir -p "$REPORTS"
}

tests() {
    local preset=""
    case "${1:-}" in
        --asan | --tsan | --clang) preset=${1#--} && shift ;;
        --*) fail "unknown option $1 of ./dev test: it knows --asan, --tsan, --clang, and names of tests" ;;
    esac
    new_reports
    trap finish_test EXIT
    if [ "$preset" = clang ]; then test_clang "$@"
    elif [ -n "$preset" ]; then test_sanitized "$preset" "$@"
    elif [ $# != 0 ]; then test_some "$@"
    else test_all; fi
}

main() {
    local command=${1:-help}
    [ $# = 0 ] || shift
    case "$command" in
        help | -h | --help) help && return ;;
        test) command=tests ;;
        build) set -- dev "$@" ;;
        demo | fmt | lint | fuzz | bench | shell) ;;
        *) fail "unknown command $command; ./dev help lists them" ;;
    esac
    ensure_environment
    "$command" "$@"
}
