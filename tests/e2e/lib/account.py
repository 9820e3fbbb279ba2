"""The user a plant runs as, and programs run as that user wherever they lie."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess

USER = "quoin"
_LIBC = ctypes.CDLL(None)


def _mapped_uids():
    with open("/proc/self/uid_map", encoding="ascii") as lines:
        return sum(int(line.split()[2]) for line in lines)


def account():
    """(uid, gid) of the plant's user when we are root and there is somebody else to be; else None."""
    with open("/proc/self/setgroups", encoding="ascii") as file:
        denied = file.read().strip() == "deny"
    if os.getuid() != 0 or denied or _mapped_uids() == 1:
        return None
    entry = pwd.getpwnam(USER)
    return entry.pw_uid, entry.pw_gid


def own(path):
    """Gives a file or folder to the plant's user."""
    who = account()
    if who:
        os.chown(path, *who)


def write(path, text, mode=0o600):
    """A file of the plant's user."""
    data = text if isinstance(text, bytes) else text.encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    own(path)


def make_folder(path):
    os.makedirs(path, mode=0o700, exist_ok=True)
    own(path)


def die_with_parent():
    _LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def spawn(arguments, log, **options):
    """Starts a program as the plant's user. It is opened by us: that user need not reach its path."""
    path = shutil.which(arguments[0])
    if not path:
        raise RuntimeError(f"{arguments[0]} is not on PATH: run ./dev build programs")
    program = os.open(path, os.O_RDONLY)
    who = account()
    if who:
        options.update(user=who[0], group=who[1], extra_groups=[])
    try:
        return subprocess.Popen(arguments, executable=f"/proc/self/fd/{program}", pass_fds=[program],
                                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                preexec_fn=die_with_parent, **options)
    finally:
        os.close(program)
