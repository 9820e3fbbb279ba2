# The build environment: Debian 13's packages, on this host or in a build root.
# Sourced by ./dev. Gives: ensure_environment, in_environment CMD...

CACHE=${QUOIN_CACHE:-${HOME:?HOME is not set}/.cache/quoin}
PACKAGES_FILE=$QUOIN_TOP/tools/packages.txt
MIRROR=${QUOIN_MIRROR:-http://deb.debian.org/debian}

packages() { grep -v '^#' "$PACKAGES_FILE" | grep -v '^$'; }

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
fail() {
    printf 'dev: %s\n' "$*" >&2
    exit 1
}

# native: this host has the right Debian; root: it needs the build root.
environment_kind() {
    if [ -n "${QUOIN_IN_CONTAINER:-}" ]; then
        echo native
        return
    fi
    local id="" version=""
    if [ -r /etc/os-release ]; then
        id=$(. /etc/os-release && echo "${ID:-}")
        version=$(. /etc/os-release && echo "${VERSION_ID:-}")
    fi
    case "$id" in
        debian) if [ "${version%%.*}" -ge 13 ] 2>/dev/null; then echo native; else echo root; fi ;;
        ubuntu) if [ "${version%%.*}" -ge 26 ] 2>/dev/null; then echo native; else echo root; fi ;;
        *) echo root ;;
    esac
}

root_dir() {
    local hash
    hash=$(packages | cat - <(echo "recipe 1") | sha256sum | cut -c1-16)
    echo "$CACHE/root-$hash"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
        fail "installing packages needs root: run as root, install sudo, or run: apt-get install $*"
    fi
}

ensure_native() {
    local missing=() installed
    installed=$(dpkg-query -W -f '${Package} ${Status}\n' 2>/dev/null | awk '/ok installed$/ {print $1}')
    for package in $(packages); do
        grep -qxF "$package" <<<"$installed" || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    say "+ apt-get install ${missing[*]}"
    as_root apt-get update -qq || fail "apt-get update failed: is the network up? (see the lines above)"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" ||
        fail "apt-get install failed (see the lines above); nothing of Quoin was changed"
}

need_mmdebstrap() {
    command -v mmdebstrap >/dev/null && return
    command -v apt-get >/dev/null ||
        fail "no mmdebstrap and no apt-get here. Use the Containerfile: see 'Other systems' in README.md"
    say "+ apt-get install mmdebstrap"
    as_root apt-get update -qq || fail "apt-get update failed: is the network up?"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mmdebstrap uidmap ||
        fail "could not install mmdebstrap, which makes the Debian 13 build root"
}

ensure_root() {
    ROOT=$(root_dir)
    [ -d "$ROOT" ] && return
    need_mmdebstrap
    mkdir -p "$CACHE" || fail "cannot write to $CACHE: set QUOIN_CACHE to a folder that can hold 4 GiB"
    exec 9>"$CACHE/root.lock"
    flock 9
    [ -d "$ROOT" ] && return
    local free_kib partial=$CACHE/partial-root.$$ mode=root
    free_kib=$(df -Pk "$CACHE" | awk 'NR==2 {print $4}')
    [ "$free_kib" -gt 5000000 ] ||
        fail "the build root needs 5 GB in $CACHE, $((free_kib / 1024)) MB are free: free some or set QUOIN_CACHE"
    [ "$(id -u)" = 0 ] || mode=unshare
    # shellcheck disable=SC2064
    trap "remove_partial_root '$partial'" EXIT INT TERM
    say "+ mmdebstrap --variant=apt --mode=$mode trixie $partial    (once, about a minute)"
    if ! mmdebstrap --mode="$mode" --variant=apt \
        --include="$(packages | paste -sd,)" \
        --aptopt='APT::Install-Recommends "false"' \
        --aptopt='Acquire::Retries "3"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='force-unsafe-io' \
        --essential-hook='mkdir -p "$1/etc/postgresql-common" && echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
        --customize-hook='chroot "$1" useradd --system --no-create-home --shell /usr/sbin/nologin quoin' \
        --customize-hook='chmod 755 "$1/root"' \
        trixie "$partial" "$MIRROR" >"$CACHE/root.log" 2>&1; then
        tail -n 15 "$CACHE/root.log" >&2
        fail "making the build root failed (whole log: $CACHE/root.log). Is $MIRROR reachable, is the disk full? Nothing was left behind."
    fi
    mv -T "$partial" "$ROOT"
    trap - EXIT INT TERM
    exec 9>&-
}

remove_partial_root() {
    if [ "$(id -u)" = 0 ]; then rm -rf --one-file-system "$1"; else
        unshare --user --map-root-user --map-auto rm -rf --one-file-system "$1"
    fi
}

ensure_environment() {
    KIND=$(environment_kind)
    if [ "$KIND" = native ]; then ensure_native; else ensure_root; fi
    mkdir -p "$CACHE/ccache"
}

# Runs its arguments in the environment, in the caller's folder.
in_environment() {
    export CCACHE_DIR=${CCACHE_DIR:-$CACHE/ccache}
    if [ "$KIND" = native ]; then
        (cd "$QUOIN_CWD" && "$@")
        return
    fi
    local namespace=(unshare --mount --propagation private)
    [ "$(id -u)" = 0 ] || namespace=(unshare --user --map-root-user --map-auto --mount --propagation private)
    "${namespace[@]}" bash "$QUOIN_TOP/tools/dev/enter.sh" "$ROOT" "$CACHE" "$@"
}
