"""A device: its folder, its agent, and what its sensor will say."""

import os
import pathlib
import subprocess

from . import account, waiting

RELEASE = "1.0.0"


class Device:
    """`rows` numbers (0, 1, 2, ...) are replayed, `rate` a second; the stream is named `numbers`. `top` and `extra` are
    more of agent.toml: keys, and tables. `key_store`: where its birth key is. `foreign`: its EST client is not our agent."""

    def __init__(self, plant, name, device_class, rows=100_000, rate=10, birth=True,
                 register=True, extra="", top="", tpm=None, key_store=None, foreign=False):
        self.plant = plant
        self.name = name
        self.device_class = device_class
        self.rows = rows
        self.folder = plant.folder / "devices" / name
        self.tpm = tpm  # lib.tpm: the attestation key is bound to it
        self.process = None
        if birth:
            self._birth(key_store, foreign)
        self._configure(rate, plant.https_port, top + extra)
        if register:
            self.register()

    # --- making

    def _birth(self, key_store, foreign):
        from .plant import quoin
        if key_store:  # by the agent's user, to whom the key is to belong
            for path in [self.plant.maker, *self.plant.maker.rglob("*")]:
                account.own(path)
            born = account.spawn(["quoin", "birth", "--maker", str(self.plant.maker), "--class", self.device_class,
                                  "--key-store", key_store, self.name], subprocess.DEVNULL)
            assert born.wait(60) == 0
        else:
            quoin("birth", "--maker", self.plant.maker, "--class", self.device_class, self.name,
                  *(["--foreign"] if foreign else []))
        self.folder.parent.mkdir(exist_ok=True)
        (self.plant.maker / "devices" / self.name).rename(self.folder)  # shipped

    def _configure(self, rate, https_port, extra):
        account.write(self.folder / "trust.crt", (self.plant.home / "pki/root.crt").read_bytes())
        measured = '[attest]\nfiles = ["plc-program.bin"]\n' if self.device_class == "mpu" else ""
        account.write(self.folder / "agent.toml", f"""
plant = "https://127.0.0.1:{https_port}"
suite = "{self.plant.suite}"
class = "{self.device_class}"
release = "{RELEASE}"
renew_retry_s = 1
{"danger_allow_classical = true" if self.plant.suite == "classical" else ""}
{extra}
{measured}
[[source]]
stream = "numbers"
type = "csv"
file = "sensor.csv"
value = "number"
speed = {rate}
""")
        lines = (f"2020-01-{1 + i // 86400:02} {i // 3600 % 24:02}:{i // 60 % 60:02}:{i % 60:02},{i}\n"
                 for i in range(self.rows))
        account.write(self.folder / "sensor.csv", "timestamp,value\n" + "".join(lines))
        account.write(self.folder / "plc-program.bin", os.urandom(2048))
        for path in [self.folder, *self.folder.rglob("*")]:
            account.own(path)

    def register(self):
        """Onto the inventory, with the reference values of what it runs."""
        from .plant import quoin
        home = self.plant.home
        batch = self.plant.maker / "batch.jsonl"
        line = next(line for line in batch.read_text().splitlines() if f'"{self.name}"' in line)
        single = self.plant.folder / f"{self.name}.jsonl"
        single.write_text(line + "\n")
        quoin("device", "import", single, "--home", home)
        if self.device_class == "mpu":
            self.add_reference_values()

    def add_reference_values(self):
        from .plant import quoin
        import shutil
        manifest = self.plant.folder / f"{self.name}-release.json"
        manifest.unlink(missing_ok=True)
        quoin("release", "measure", "--release", RELEASE, "--out", manifest,
              f"agent={shutil.which('quoin-agent')}", f"config@{self.name}={self.folder}/agent.toml",
              f"file:plc-program.bin@{self.name}={self.folder}/plc-program.bin",
              *([f"tpm-pcrs@{self.name}={self.tpm.uri}"] if self.tpm else []))
        quoin("release", "add", manifest, "--home", self.plant.home)

    # --- running

    @property
    def log(self):
        return self.folder / "agent.log"

    def start(self):
        with open(self.log, "ab") as log:
            self.process = account.spawn(["quoin-agent", "--home", str(self.folder)], log)
        return self

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(10) == 0, f"{self.name}: the agent ended with {self.process.returncode}"

    def alter_program(self):
        """Flips one bit of the measured file; doing it again puts it right."""
        with open(self.folder / "plc-program.bin", "r+b") as file:
            byte = file.read(1)[0]
            file.seek(0)
            file.write(bytes([byte ^ 1]))

    def wait_stored(self, count, timeout_s=60):
        waiting.until(lambda: self.plant.contiguous(self.name) >= count, f"{count} samples of {self.name} are stored",
                      timeout_s)

    # --- for foreign clients

    @property
    def identity(self):
        return self.folder / "identity/current"

    def clear_key(self, key=None):
        """The device's private key in clear, in a file of the test's own. openssl is a foreign program."""
        key = pathlib.Path(key or self.identity / "device.key")
        out = self.plant.folder / f"{self.name}-{key.stem}-clear.key"
        subprocess.run(["openssl", "pkey", "-in", key, "-passin", f"file:{self.folder}/unlock.key", "-out", out],
                       check=True, capture_output=True)
        return out
