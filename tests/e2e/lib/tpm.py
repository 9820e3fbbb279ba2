"""A software TPM (swtpm) for a test: a real TPM 2.0 interface, no chip."""

import socket
import struct

from . import account, waiting


class Tpm:
    """Of the plant's user, with a key store of ours in it."""

    def __init__(self, folder, pcrs="0,8"):
        self.folder = folder
        self.socket = folder / "tpm.sock"
        self.uri = f"tpm:tcti=swtpm:path={self.socket};dir={folder}/keys;pcrs={pcrs}"
        self.process = None
        account.make_folder(folder)

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = account.spawn(
                ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}", "--server", f"type=unixio,path={self.socket}",
                 "--ctrl", f"type=unixio,path={self.socket}.ctrl", "--flags", "not-need-init,startup-clear", "--seccomp",
                 "action=none"], log)
        waiting.until(lambda: self._listens(self.socket) and self._listens(f"{self.socket}.ctrl"), "swtpm listens", 30)
        return self

    def _listens(self, path):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(path)) == 0

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def reboot(self):
        """PCRs are zero again; what is persistent stays."""
        self.stop()
        self.start()

    def make_store(self):
        with open(self.folder / "log", "ab") as log:
            made = account.spawn(["quoin", "keys", "create", "--store", self.uri], log)
        assert made.wait(60) == 0, (self.folder / "log").read_text()
        return self

    def extend(self, pcr, digest=bytes(31) + b"\1"):
        """As a boot loader does when it measures: TPM2_PCR_Extend, by hand."""
        password = struct.pack(">IHBH", 0x40000009, 0, 0, 0)
        body = struct.pack(">II", pcr, len(password)) + password + struct.pack(">IH", 1, 0x000B) + digest
        with socket.socket(socket.AF_UNIX) as tpm:
            tpm.connect(str(self.socket))
            tpm.sendall(struct.pack(">HII", 0x8002, 10 + len(body), 0x182) + body)
            assert struct.unpack(">HII", tpm.recv(4096)[:10])[2] == 0
