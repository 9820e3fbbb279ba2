"""quoin-se for a test: keys that no other process holds."""

import json
import pathlib
import shutil
import socket
import subprocess
import tempfile

from . import account, waiting
from .plant import quoin


class Element:
    """Of the plant's user. Its memory is not locked: that user may lock too little of it here."""

    def __init__(self, folder):
        self.folder = folder
        self.socket = folder / "se.sock"
        self.process = None
        account.make_folder(folder)
        account.write(folder / "passphrase", "correct horse battery staple\n")

    @property
    def uri(self):
        return f"se:socket={self.socket}"

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = account.spawn(
                ["quoin-se", "--home", str(self.folder / "home"), "--socket", str(self.socket), "--passphrase-file",
                 str(self.folder / "passphrase"), "--admin-uid", "0", "--danger-unlocked-memory"], log)
        waiting.until(self._listens, "quoin-se listens", 30)
        return self

    def _listens(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def keys(self):
        """The names of its keys."""
        return {key["name"] for key in json.loads(quoin("keys", "list", "--json", "--store", self.uri).stdout)["keys"]}

    def parts_in_memory(self, pids):
        """How many parts of its private keys (seeds, and what they expand to) each of the processes holds."""
        search = pathlib.Path(shutil.which("quoin-se")).parent.parent / "tests/se_search_fixture"
        with tempfile.TemporaryDirectory() as copy:  # the store itself is locked
            shutil.copy(self.folder / "home/store", copy)
            done = subprocess.run([search, copy, self.folder / "passphrase", *map(str, pids)], capture_output=True, text=True,
                                  timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return {int(line.split()[0]): int(line.split()[1]) for line in done.stdout.splitlines()}
