#!/usr/bin/env bash
# Runs in a fresh mount namespace: binds what a step needs into the build root, then runs it there.
# usage: enter.sh ROOT CACHE CMD...
set -euo pipefail
root=$1 cache=$2
shift 2
bind() { # SOURCE: at the same path inside
    if [ -d "$1" ]; then mkdir -p "$root$1"; elif [ ! -e "$root$1" ]; then
        mkdir -p "$root$(dirname "$1")" && touch "$root$1"
    fi
    mount --rbind "$1" "$root$1"
}
bind /proc
bind /sys
bind /dev
bind /tmp
for file in /etc/hosts /etc/resolv.conf; do
    if [ -e "$file" ]; then
        rm -f "$root$file"
        touch "$root$file"
        mount --bind "$(realpath "$file")" "$root$file"
    fi
done
bind "$cache"
bind "$QUOIN_TOP"
shared=$(realpath -m "$QUOIN_TOP/../shared")
if [ -d "$shared" ]; then bind "$shared"; fi
case "$QUOIN_CWD/" in
    "$QUOIN_TOP"/* | /tmp/* | /proc/* | /sys/* | /dev/* | "$cache"/*) ;;
    *) if [ "$QUOIN_CWD" != / ]; then bind "$QUOIN_CWD"; fi ;;
esac
exec chroot "$root" /usr/bin/env -u LD_PRELOAD -u LD_LIBRARY_PATH \
    PATH="${QUOIN_PATH_PREFIX:+$QUOIN_PATH_PREFIX:}/usr/lib/ccache:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    LC_ALL=C.UTF-8 bash -c 'cd "$QUOIN_CWD" 2>/dev/null || cd /; exec "$@"' bash "$@"
