#!/usr/bin/env python3
"""A real PostgreSQL for a test: own folder, loopback only, gone afterwards.

As a module:    with Postgres() as server: use(server.url)
As a program:   prints the URL of its database; every line it reads restarts the server and is answered
                by "ready"; the end of its input ends it. So it cannot outlive the test that started it.
"""

import ctypes
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from urllib.parse import quote

USER = "quoin"
PASSWORD = "p@ss/w:rd %1"  # needs escaping in a URL, on purpose
START_LIMIT_S = 60


def program(name):
    """The newest installed server's program: Debian keeps them out of PATH."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: int(path.split("/")[4]))
    path = found[-1] if found else shutil.which(name)
    if not path:
        raise RuntimeError(f"no {name}: install postgresql-17 (tools/packages.txt)")
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG


class Postgres:
    """`durable`: with fsync, for measurements; without it tests are quicker."""

    def __init__(self, durable=False):
        self.durable = durable
        self.folder = tempfile.mkdtemp(prefix="quoin-postgres-")
        self.data = os.path.join(self.folder, "data")
        # PostgreSQL refuses to run as root.
        self.account = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
        self.process = None
        self.port = 0

    @property
    def url(self):
        return f"postgresql://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/postgres"

    def __enter__(self):
        try:
            self._initialise()
            for attempt in range(3):  # another program may take the port first
                self.port = free_port()
                try:
                    self.start()
                    return self
                except RuntimeError:
                    if attempt == 2:
                        raise
        except BaseException:
            self._remove()
            raise

    def __exit__(self, *_):
        self.stop()
        self._remove()

    def _remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def _initialise(self):
        password_file = os.path.join(self.folder, "password")
        with open(password_file, "w", encoding="utf-8") as file:
            file.write(PASSWORD)
        if self.account:
            entry = pwd.getpwnam("postgres")
            for path in (self.folder, password_file):
                os.chown(path, entry.pw_uid, entry.pw_gid)
        made = subprocess.run(
            [program("initdb"), "-D", self.data, "-U", USER, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
             "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password_file}"],
            capture_output=True, text=True, cwd="/", **self.account)
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed: {made.stdout}{made.stderr}")

    def start(self):
        self.process = subprocess.Popen(
            [program("postgres"), "-D", self.data, "-k", self.folder, "-h", "127.0.0.1", "-p", str(self.port),
             "-F" if not self.durable else "-N40", "-c", "logging_collector=off"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            preexec_fn=die_with_parent, cwd="/", **self.account)
        ready, lines = threading.Event(), []

        def drain(stream):
            for line in stream:
                lines.append(line)
                if "database system is ready to accept connections" in line:
                    ready.set()
            ready.set()  # it ended

        threading.Thread(target=drain, args=(self.process.stderr,), daemon=True).start()
        if not ready.wait(START_LIMIT_S) or self.process.poll() is not None:
            self.stop()
            raise RuntimeError("postgres did not start: " + "".join(lines[-10:]))

    def stop(self, how=signal.SIGINT):
        """SIGINT ends sessions and shuts down cleanly, SIGQUIT as in a crash."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(START_LIMIT_S)
        self.process = None


def main():
    with Postgres(durable="--durable" in sys.argv) as server:
        print(server.url, flush=True)
        for _ in sys.stdin:
            server.stop(signal.SIGQUIT)
            server.start()
            print("ready", flush=True)


if __name__ == "__main__":
    main()
