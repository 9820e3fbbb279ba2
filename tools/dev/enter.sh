#!/usr/bin/env bash
# Runs in a fresh mount namespace: binds what a step needs into the build root, then runs it there.
# usage: enter.sh ROOT CACHE CMD...   with QUOIN_TOP and QUOIN_CWD in the environment
set -euo pipefail
root=$1 cache=$2
shift 2

bind() { # SOURCE: at the same path inside. Several of us may run at once: only add, never remove.
    if [ -d "$1" ]; then
        (umask 022 && mkdir -p "$root$1")
    elif [ ! -e "$root$1" ]; then
        (umask 022 && mkdir -p "$root$(dirname "$1")" && touch "$root$1")
    fi
    mount --rbind "$(realpath "$1")" "$root$1"
}

# True if the caller's folder is inside already, or is one of the system's, which must stay the root's own.
is_inside() {
    case "$1/" in
        / | "$QUOIN_TOP"/* | "$cache"/* | /tmp/* | /proc/* | /sys/* | /dev/*) return 0 ;;
        /usr/* | /etc/* | /bin/* | /sbin/* | /lib*/* | /var/ | /run/ | /boot/*) return 0 ;;
    esac
    return 1
}

for path in /proc /sys /dev /tmp; do bind "$path"; done
for file in /etc/hosts /etc/resolv.conf; do
    # A dangling link would make the bind fail (systemd's resolv.conf points into /run).
    if [ -L "$root$file" ]; then rm -f "$root$file"; fi
    if [ -e "$file" ]; then bind "$file"; fi
done
is_inside "$QUOIN_CWD" || bind "$QUOIN_CWD"
bind "$cache"
bind "$QUOIN_TOP"
shared=$(realpath -m "$QUOIN_TOP/../shared")
if [ -d "$shared" ]; then bind "$shared"; fi

# What the host's shell points at (libraries, compilers, Python) is not in the root.
exec chroot "$root" /usr/bin/env \
    -u LD_PRELOAD -u LD_LIBRARY_PATH -u LIBRARY_PATH -u CPATH -u PKG_CONFIG_PATH -u CMAKE_PREFIX_PATH \
    -u CC -u CXX -u CFLAGS -u CXXFLAGS -u CPPFLAGS -u LDFLAGS -u PYTHONPATH -u PYTHONHOME -u PERL5LIB \
    -u OPENSSL_CONF -u OPENSSL_MODULES -u TMPDIR \
    PATH="${QUOIN_PATH_PREFIX:+$QUOIN_PATH_PREFIX:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    LC_ALL=C.UTF-8 bash -c 'cd "$QUOIN_CWD" 2>/dev/null || cd /; exec "$@"' bash "$@"
