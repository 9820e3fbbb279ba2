"""Key stores to measure: quoin-se with a passphrase and sealed by a TPM (swtpm), that TPM itself, and a token (SoftHSM2)."""
import json
import os
import pathlib
import socket
import subprocess

from lib import waiting
from lib.account import die_with_parent


def quoin_keys(*words):
    done = subprocess.run(["quoin", "keys", *map(str, words)], capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"quoin keys {' '.join(map(str, words))}: {done.stderr}")
    return done.stdout


def answers(path):
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


class Program:
    def __init__(self, words, log, ready, **options):
        with open(log, "ab") as file:
            self.process = subprocess.Popen([*map(str, words)], stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                            preexec_fn=die_with_parent, **options)
        waiting.until(lambda: self._runs(log) and ready(), f"{words[0]} listens")

    def _runs(self, log):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.process.args[0]} ended: {pathlib.Path(log).read_text(encoding='utf-8')}")
        return True

    @property
    def pid(self):
        return self.process.pid

    def close(self):
        self.process.terminate()
        self.process.wait(20)


class SecureElement:
    """`unlock`: the words that open its store. The memory is not locked: the limit of who measures may be in the way."""

    def __init__(self, folder, unlock, **options):
        folder.mkdir()
        self.socket, self.bus = folder / "se.sock", folder / "bus.sock"
        self.program = Program(["quoin-se", "--home", folder / "home", "--socket", self.socket, "--bus-socket", self.bus,
                                "--danger-unlocked-memory", *unlock], folder / "log", lambda: answers(self.socket), **options)

    @property
    def uri(self):
        return f"se:socket={self.socket}"

    def reference(self, name, algorithm):
        """A PEM that stands for a new key of it."""
        quoin_keys("generate", name, "--algorithm", algorithm, "--store", self.uri)
        return quoin_keys("reference", name, "--store", self.uri)


class Stores:
    """All of them, in a folder; close() ends them."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.running = []
        try:
            self.element = self._element_with_passphrase()
            self.swtpm = self._start_swtpm()
            self.tpm = f"tpm:tcti=swtpm:path={self.folder}/tpm.sock;dir={self.folder}/tpm;pcrs=16"
            self.sealed = self._element_sealed_by_tpm()
            self.token = self._make_token()
            self.software = self._make_software()
        except BaseException:
            self.close()
            raise

    def close(self):
        for program in reversed(self.running):
            program.close()

    def _secret(self, name, text):
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text + "\n", encoding="ascii")
        return path

    def _element_with_passphrase(self):
        element = SecureElement(self.folder / "se", ["--passphrase-file", self._secret("passphrase", "correct horse battery")])
        self.running.append(element.program)
        return element

    def _start_swtpm(self):
        state, path = self.folder / "swtpm", self.folder / "tpm.sock"
        state.mkdir()
        program = Program(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--server", f"type=unixio,path={path}",
                           "--ctrl", f"type=unixio,path={path}.ctrl", "--flags", "not-need-init,startup-clear",
                           "--seccomp", "action=none"], self.folder / "swtpm.log",
                          lambda: answers(path) and answers(f"{path}.ctrl"))
        self.running.append(program)
        return program

    def _element_sealed_by_tpm(self):
        blob = self.folder / "se.sealed"
        quoin_keys("create", "--store", self.tpm)
        quoin_keys("seal", "--blob", blob, "--store", self.tpm)
        read, write = os.pipe()
        subprocess.run(["quoin", "keys", "unseal", "--blob", blob, "--store", self.tpm], stdout=write, check=True, timeout=60)
        os.close(write)
        element = SecureElement(self.folder / "sealed", ["--seal-key-fd", read], pass_fds=[read])
        os.close(read)
        self.running.append(element.program)
        return element

    def _make_token(self):
        (self.folder / "tokens").mkdir()
        configuration = self.folder / "softhsm2.conf"
        configuration.write_text(f"directories.tokendir = {self.folder}/tokens\nlog.level = ERROR\n", encoding="ascii")
        os.environ["SOFTHSM2_CONF"] = str(configuration)  # for those that we start
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "bench", "--pin", "1234", "--so-pin", "56785678"],
                       check=True, capture_output=True, timeout=60)
        uri = f"pkcs11:module=/usr/lib/softhsm/libsofthsm2.so;token=bench;pin={self._secret('pin', '1234')}"
        quoin_keys("create", "--store", uri)
        return uri

    def _make_software(self):
        uri = f"software:{self.folder}/keys"
        quoin_keys("create", "--store", uri)
        return uri


BUSES = ("i2c-400k", "i2c-400k-scp03", "spi-10m", "spi-10m-scp03")  # host/keys/se/bus.cpp


def measure(stores, rounds, budget_ms):
    """Rows of key_store_bench."""
    element, sealed = stores.element, stores.sealed
    named = [("software", stores.software, 0), ("quoin-se", element.uri, element.program.pid),
             ("quoin-se, sealed by a TPM", sealed.uri, sealed.program.pid), ("TPM (swtpm, software)", stores.tpm, stores.swtpm.pid),
             ("token (SoftHSM2, software)", stores.token, 0)]
    named += [(f"emulated {bus}", f"se:socket={element.bus};bus={bus}", element.program.pid) for bus in BUSES]
    words = ["key_store_bench", "--rounds", rounds, "--budget-ms", budget_ms]
    for label, uri, pid in named:
        words += ["--store", label, uri, pid]
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=600, check=False,
                          env={**os.environ, "TSS2_LOG": "all+none"})
    if done.returncode != 0:
        raise RuntimeError(f"key_store_bench: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]
