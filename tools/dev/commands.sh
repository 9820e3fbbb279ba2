# The steps of ./dev. Sourced by ./dev; root.sh gives ensure_environment and in_environment.

BUILD=$QUOIN_TOP/build

run() {
    printf '\033[2m+ %s\033[0m\n' "$*" >&2
    QUOIN_CWD=$QUOIN_TOP in_environment "$@"
}

configure() { # PRESET
    [ -f "$BUILD/$1/build.ninja" ] || run cmake --preset "$1" >/dev/null
}

# One build at a time in a folder: two ninjas would spoil each other's work.
build() { # PRESET [TARGET...]
    local preset=$1
    shift
    mkdir -p "$BUILD"
    exec 8>"$BUILD/$preset.lock"
    flock 8
    configure "$preset"
    run ninja -C "$BUILD/$preset" "$@"
    exec 8>&-
}

main() {
    local command=${1:-help}
    [ $# = 0 ] || shift
    case "$command" in
        build) ensure_environment && build dev "$@" ;;
        raw) ensure_environment && in_environment "$@" ;;
        *) fail "unknown command $command" ;;
    esac
}
