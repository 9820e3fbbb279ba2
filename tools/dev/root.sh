# The build environment: Debian 13's packages, on this host or in a build root.
# Sourced by ./dev. Gives: ensure_environment, in_environment CMD..., say, fail.

CACHE=${QUOIN_CACHE:-${HOME:?HOME is not set: set it, or QUOIN_CACHE, to a folder to build in}/.cache/quoin}
PACKAGES_FILE=$QUOIN_TOP/tools/packages.txt
MIRROR=${QUOIN_MIRROR:-http://deb.debian.org/debian}
ROOT_NEEDS_MIB=4000 # 2.5 GB of root, and its packages while it is made

if [ -t 2 ]; then BOLD=$'\033[1m' DIM=$'\033[2m' PLAIN=$'\033[0m'; else BOLD='' DIM='' PLAIN=''; fi
say() { printf '%s%s%s\n' "$BOLD" "$*" "$PLAIN" >&2; }
fail() {
    printf 'dev: %s\n' "$*" >&2
    exit 1
}

packages() { grep -v -e '^#' -e '^$' "$PACKAGES_FILE"; }

# native: this host's own packages will do; root: it needs the build root.
environment_kind() {
    [ -z "${QUOIN_IN_CONTAINER:-}" ] || { echo native; return; }
    [ -r /etc/os-release ] || { echo root; return; }
    (
        . /etc/os-release
        major=${VERSION_ID:-0}
        major=${major%%.*}
        case "${ID:-}" in
            debian) [ "$major" -ge 13 ] && echo native || echo root ;;
            ubuntu) [ "$major" -ge 26 ] && echo native || echo root ;;
            *) echo root ;;
        esac
    )
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
        fail "this needs root and there is no sudo. Ask an administrator to run: $*"
    fi
}

apt_install() { # PACKAGE...
    say "+ apt-get install $*"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" ||
        fail "apt-get install failed (lines above): is the network up, is the disk full? Quoin changed nothing; run it again when that is mended."
}

# Installs what is missing. A release that has other versions of a package gets the build root instead.
ensure_native() {
    local missing absent package
    missing=$(comm -23 <(packages | sort) \
        <(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' 2>/dev/null | awk '$2 == "ii" {print $1}' | sort))
    [ -n "$missing" ] || return 0
    say "+ apt-get update"
    as_root apt-get update -qq ||
        fail "apt-get update failed (lines above): is the network up? Nothing was changed."
    absent=""
    for package in $missing; do
        apt-cache show "$package" >/dev/null 2>&1 || absent="$absent $package"
    done
    if [ -n "$absent" ] && [ -z "${QUOIN_IN_CONTAINER:-}" ]; then
        say "This release has no package named$absent: using a Debian 13 build root instead."
        KIND=root
        ensure_root
        return
    fi
    # shellcheck disable=SC2086
    apt_install $missing
}

need_mmdebstrap() {
    if ! command -v mmdebstrap >/dev/null; then
        command -v apt-get >/dev/null ||
            fail "this system has neither mmdebstrap nor apt-get. Use the Containerfile: see 'Other systems' in README.md."
        as_root apt-get update -qq || fail "apt-get update failed (lines above): is the network up? Nothing was changed."
        apt_install mmdebstrap uidmap debian-archive-keyring
    fi
}

# Without root the build root lives in a user namespace of this user, with 65,536 ids of its own
# (PostgreSQL and the plant's processes run as other users than "root" in there).
NAMESPACE=(unshare)
need_namespace() {
    [ "$(id -u)" != 0 ] || return 0
    NAMESPACE=(unshare --user --map-root-user --map-auto)
    "${NAMESPACE[@]}" true 2>/dev/null || fail "this user cannot make a user namespace with ids of its own. As an administrator, either
  apt-get install uidmap && usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $(id -un)
  (and where AppArmor forbids it: sysctl kernel.apparmor_restrict_unprivileged_userns=0), or run ./dev as root."
}

root_is_whole() { # enough to tell a root that somebody has emptied or half deleted
    local file
    for file in usr/bin/bash usr/bin/env usr/bin/cmake usr/bin/ninja usr/bin/g++ usr/bin/python3 etc/passwd \
        usr/sbin/mosquitto usr/include/openssl/ssl.h; do
        [ -e "$ROOT/$file" ] || return 1
    done
}

remove_tree() {
    "${NAMESPACE[@]}" --mount rm -rf --one-file-system "$1" ||
        fail "could not remove $1: remove it yourself, nothing uses it"
}

# Every partial root is somebody's who died: its maker would hold the lock that we have.
remove_leftovers() {
    local leftover
    for leftover in "$CACHE"/partial-root.*; do
        [ -e "$leftover" ] || continue
        say "removing ${leftover##*/}, which a run that ended early left behind"
        remove_tree "$leftover"
    done
}

ensure_root() {
    ROOT=$CACHE/root-$({ packages && echo "recipe 3"; } | sha256sum | cut -c1-16)
    need_namespace
    ! root_is_whole || return 0
    need_mmdebstrap
    mkdir -p "$CACHE" 2>/dev/null && [ -w "$CACHE" ] ||
        fail "cannot write to $CACHE: set QUOIN_CACHE to a folder with $ROOT_NEEDS_MIB MB free"
    exec 9>"$CACHE/root.lock"
    flock --nonblock 9 || { say "waiting for another ./dev that is making the build root"; flock 9; }
    if ! root_is_whole; then
        remove_leftovers
        if [ -e "$ROOT" ]; then
            say "the build root $ROOT is damaged: making it again"
            mv -T "$ROOT" "$CACHE/partial-root.damaged.$$"
            remove_leftovers
        fi
        make_root "$CACHE/partial-root.$$"
    fi
    exec 9>&-
}

# 0.7 GB of other processors that come along: of qemu-user all but three, of gcc-arm-none-eabi's libraries all but one.
needless_parts() {
    local path
    for path in exclude=/usr/bin/qemu-* include=/usr/bin/qemu-{aarch64,arm,riscv64,system-arm} \
        exclude=/usr/lib/gcc/arm-none-eabi/*/{arm,thumb}/* include=/usr/lib/gcc/arm-none-eabi/*/thumb/v7e-m/*; do
        printf '%s\n' "--dpkgopt=path-$path"
    done
}

make_root() { # PARTIAL: where it is made, until it is whole
    local partial=$1 free_mib mode=root
    free_mib=$(df -Pm "$CACHE" | awk 'NR==2 {print $4}')
    [ "$free_mib" -ge "$ROOT_NEEDS_MIB" ] ||
        fail "the build root needs $ROOT_NEEDS_MIB MB in $CACHE and $free_mib MB are free: free some, or set QUOIN_CACHE to another disk"
    [ "$(id -u)" = 0 ] || mode=unshare
    say "+ mmdebstrap --variant=apt --mode=$mode --include=[tools/packages.txt] trixie $ROOT $MIRROR    (once, a minute or two)"
    : >"$CACHE/root.log"
    # In a process namespace that dies with us: an interrupted run leaves no process behind.
    setpriv --pdeathsig KILL "${NAMESPACE[@]}" --mount --pid --fork --kill-child --mount-proc \
        mmdebstrap --mode="$mode" --variant=apt \
        --include="$(packages | paste -sd,)" \
        --aptopt='APT::Install-Recommends "false"' \
        --aptopt='Acquire::Retries "3"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='force-unsafe-io' \
        $(needless_parts) \
        --essential-hook='mkdir -p "$1/etc/postgresql-common" && echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
        --customize-hook='chroot "$1" useradd --system --no-create-home --shell /usr/sbin/nologin quoin' \
        --customize-hook='chroot "$1" useradd --system --no-create-home --shell /usr/sbin/nologin quoin-se' \
        --customize-hook='chmod 755 "$1" "$1/root"' \
        trixie "$partial" "$MIRROR" >"$CACHE/root.log" 2>&1 </dev/null 9>&- &
    local maker=$! status=0
    # shellcheck disable=SC2064
    trap "abandon_root $maker '$partial'" EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    show_progress "$maker"
    wait "$maker" || status=$?
    if [ "$status" != 0 ]; then
        tail -n 15 "$CACHE/root.log" >&2
        fail "making the build root failed: see the lines above (all of them: $CACHE/root.log). Is $MIRROR reachable? Is the disk full? Run the same command again when that is mended."
    fi
    mv -T "$partial" "$ROOT"
    trap - EXIT INT TERM HUP
    say "made the build root in ${SECONDS} s; older ones, if any, may be removed: $CACHE/root-*"
}

abandon_root() { # MAKER PARTIAL
    kill -KILL "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
    [ ! -e "$2" ] || remove_tree "$2"
    say "the build root was not made; nothing half-made is left behind"
}

# What mmdebstrap is at: a spinner on a terminal, otherwise a line every ten seconds.
show_progress() { # PID
    local spin='|/-\' turn=0 started=$SECONDS step never
    exec {never}<> <(:) # nothing is ever written to it: a wait that starts no process
    while kill -0 "$1" 2>/dev/null; do
        step=$(grep -a '^I: ' "$CACHE/root.log" 2>/dev/null | tail -n 1 | cut -c4-80) || true
        if [ -z "$step" ]; then :; elif [ -t 2 ]; then
            printf '\r\033[K%s %3d s  %s' "${spin:turn++%4:1}" "$((SECONDS - started))" "$step" >&2
        elif [ $((turn++ % 50)) = 0 ]; then
            printf '  %3d s  %s\n' "$((SECONDS - started))" "$step" >&2
        fi
        read -rt 0.2 -u "$never" || true
    done
    exec {never}>&-
    [ ! -t 2 ] || printf '\r\033[K' >&2
}

ensure_environment() {
    KIND=$(environment_kind)
    if [ "$KIND" = native ]; then ensure_native; else ensure_root; fi
    mkdir -p "$CACHE/ccache" || fail "cannot write to $CACHE: set QUOIN_CACHE to a folder that can be written"
    export CCACHE_DIR=${CCACHE_DIR:-$CACHE/ccache} CCACHE_BASEDIR=$QUOIN_TOP CCACHE_NOHASHDIR=1
}

# Runs its arguments in the environment, in the caller's folder.
in_environment() {
    if [ "$KIND" = native ]; then
        (cd "$QUOIN_CWD" && PATH="${QUOIN_PATH_PREFIX:+$QUOIN_PATH_PREFIX:}$PATH" exec "$@")
    else
        "${NAMESPACE[@]}" --mount --propagation private bash "$QUOIN_TOP/tools/dev/enter.sh" "$ROOT" "$CACHE" "$@"
    fi
}

# The same in place of this shell: signals reach the program itself.
exec_in_environment() {
    if [ "$KIND" = native ]; then
        cd "$QUOIN_CWD"
        export PATH="${QUOIN_PATH_PREFIX:+$QUOIN_PATH_PREFIX:}$PATH"
        exec "$@"
    fi
    exec "${NAMESPACE[@]}" --mount --propagation private bash "$QUOIN_TOP/tools/dev/enter.sh" "$ROOT" "$CACHE" "$@"
}
