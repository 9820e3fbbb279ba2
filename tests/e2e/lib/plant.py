"""A plant in a folder of its own, as `quoin up` starts it."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from . import account, waiting
from .device import Device
from .network import Proxy, free_ports
from .rest import Rest

# Tests look often; a plant in earnest asks every 30 s.
OVERLAY = """
[verifier]
period_s = 1
timeout_s = 4
lifetime_s = 20
"""
# Less often, where a test runs long; and with patience, where its network is bad.
SELDOM = """
[verifier]
period_s = 5
timeout_s = 15
lifetime_s = 60
"""


def quoin(*arguments, check=True, timeout_s=60):
    """Runs the CLI and returns the finished process."""
    done = subprocess.run(["quoin", *map(str, arguments)], capture_output=True, text=True, timeout=timeout_s)
    if check and done.returncode != 0:
        raise AssertionError(f"quoin {' '.join(map(str, arguments))}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


@contextlib.contextmanager
def running_plant(overlay=OVERLAY, **options):
    """A plant for a scenario: its logs go with the failure, its folder goes without one."""
    plant = Plant(overlay=overlay, **options)
    try:
        plant.start()
        yield plant
    except BaseException as error:
        error.add_note(plant.logs())
        raise
    finally:
        plant.close()
    plant.remove()


class Plant:
    """`faults` (lib.network): devices, foreign clients and the plant's own services reach the broker, and devices EST,
    through proxies with these faults."""

    def __init__(self, suite="hybrid", overlay=OVERLAY, up=(), faults=(), init=(), profile=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="quoin-e2e-"))
        os.chmod(self.folder, 0o755)  # the plant's user walks through it
        self.home = self.folder / "plant"
        self.suite = suite
        self.up_arguments = list(up)
        self.faults = faults
        self.proxies = {}
        if faults:
            broker, self.mqtt_port = free_ports(2)
            self.up_arguments += ["--broker-listen", str(broker)]
            self.proxies["mqtt"] = Proxy(broker, *faults, listen=self.mqtt_port)
            overlay += f"[broker]\nport = {self.mqtt_port}\n"
        self.devices = []
        self.birth_count = 0
        self.maker = self.folder / "maker"
        self._make_home(overlay, init, profile)

    def _make_home(self, overlay, init, profile):
        """As an operator would: PKI first, the manufacturer is trusted, then up. Made by whoever runs the tests;
        `quoin up` gives it to the plant's user."""
        (self.home / "conf.d").mkdir(parents=True, mode=0o700)
        self.home.chmod(0o700)
        (self.home / "conf.d/50-test.toml").write_text(overlay)
        if init:  # options that make `pki init` act as the plant's user
            for path in (self.home, self.home / "conf.d", self.home / "conf.d/50-test.toml"):
                account.own(path)
        passphrase = self.folder / "root-passphrase"
        passphrase.touch(mode=0o600)
        passphrase.write_text("correct horse battery staple\n")
        kind = ["--profile", profile] if profile else []
        kind += ["--danger-allow-classical"] if profile == "classical" else ["--suite", self.suite]
        quoin("pki", "init", "--home", self.home, "--site", "e2e", *kind, "--root-passphrase-file", passphrase, *init)
        quoin("birth", "--maker", self.maker, "--class", "mpu", "unused-1")
        quoin("pki", "trust-maker", self.maker / "ca.crt", "--home", self.home)

    def start(self):
        ports = () if "--ports" in self.up_arguments else ("--ports", "free")
        quoin("up", "--home", self.home, *ports, *self.up_arguments)
        if not self.faults:
            self.mqtt_port = self.ports["mqtt"]
            self.https_port = self.ports["https"]
        elif "https" not in self.proxies:
            self.proxies["https"] = Proxy(self.ports["https"], *self.faults)
            self.https_port = self.proxies["https"].port
        return self

    def down(self):
        quoin("down", "--home", self.home)

    def close(self):
        for device in self.devices:
            device.kill()
        if self.home.exists():
            self.down()
        for proxy in self.proxies.values():
            proxy.close()

    def remove(self):
        shutil.rmtree(self.folder)

    @property
    def ports(self):
        return json.loads((self.home / "run/ports.json").read_text())

    @property
    def rest(self):
        return Rest(self.home / "run/quoind.sock")

    # --- processes

    def supervisor(self):
        return json.loads((self.home / "run/up.json").read_text())["pid"]

    def pid(self, name):
        """The process that the supervisor runs under this name; None between two lives."""
        parent = str(self.supervisor())
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                if stat[1] == parent and stat[0] != "Z":
                    if (entry / "cmdline").read_bytes().split(b"\0")[0].decode() == name:
                        return int(entry.name)
            except (FileNotFoundError, ProcessLookupError):
                continue
        return None

    def pids(self):
        """Every process of the plant: the supervisor and all below it, {pid: command line}."""
        parents, commands = {}, {}
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(stat[1])
                commands[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (FileNotFoundError, ProcessLookupError):
                continue
        found = [self.supervisor()]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return {pid: commands[pid] for pid in found}

    def kill(self, name, how=signal.SIGKILL):
        """Sends the signal to the process that runs now, and returns its pid."""
        def send():
            pid = self.pid(name)
            if pid is None:
                return None
            handle = os.pidfd_open(pid)
            try:
                if self.pid(name) != pid:
                    return None
                signal.pidfd_send_signal(handle, how)
                return pid
            finally:
                os.close(handle)
        return waiting.until(send, f"{name} runs and gets {signal.Signals(how).name}")

    # --- devices

    def add_device(self, name, device_class="mpu", start=True, **options):
        device = Device(self, name, device_class, **options)
        self.devices.append(device)
        if start:
            device.start()
        return device

    # --- what it knows

    def events(self, after=0):
        found = []
        while True:
            page = self.rest.get("events", after=after, limit=1000)["events"]
            if not page:
                return found
            found += page
            after = page[-1]["number"]

    def last_event(self):
        events = self.events()
        return events[-1]["number"] if events else 0

    def wait_event(self, name, subject=None, after=0, timeout_s=30, **detail):
        """The first such event behind number `after`; details are compared as text that must be contained."""
        def find():
            for event in self.events(after):
                if event["id"] == name and subject in (None, event["subject"]):
                    if all(str(value) in str(event["detail"].get(key, "")) for key, value in detail.items()):
                        return event
            return None
        return waiting.until(find, f"event {name} of {subject} {detail or ''}", timeout_s)

    def samples(self, device, stream="numbers"):
        """All stored samples of a stream, in order of sequence."""
        found = []
        while True:
            page = self.rest.get("telemetry", device=device, stream=stream, limit=1000,
                                 after_seq=found[-1]["seq"] if found else 0)["samples"]
            if not page:
                return found
            found += page

    def newest(self, device, stream="numbers"):
        page = self.rest.get("telemetry", device=device, stream=stream, last="true", limit=1)["samples"]
        return page[-1]["seq"] if page else 0

    def contiguous(self, device, stream="numbers"):
        """All of 1..N are stored. The newest may be further: what was lost on the way comes again later."""
        streams = self.rest.get(f"devices/{device}")["streams"]
        return next((one["contiguous"] for one in streams if one["stream"] == stream), 0)

    def state(self, device):
        return self.rest.get(f"devices/{device}")["state"]

    def wait_state(self, device, state, timeout_s=30):
        waiting.until(lambda: self.state(device) == state, f"{device} becomes {state}", timeout_s)

    def wait_log(self, name, text, since=0):
        """Waits for a text in a log of the plant (from byte `since` on)."""
        log = self.home / f"log/{name}.log"
        waiting.until(lambda: text in log.read_bytes()[since:].decode(errors="replace"), f"{text!r} in {log}")

    def log_size(self, name):
        return (self.home / f"log/{name}.log").stat().st_size

    def logs(self, lines=60):
        text = "".join(f"\nproxy before {name}: seed {proxy.seed}" for name, proxy in self.proxies.items())
        for log in sorted(self.folder.rglob("*.log")):
            tail = log.read_text(errors="replace").splitlines()[-lines:]
            text += f"\n--- {log}\n" + "\n".join(tail)
        return text
