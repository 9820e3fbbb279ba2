"""`quoin demo --once`: the first thing a stranger sees."""

import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import tempfile

from lib import account, waiting
from lib.account import die_with_parent

REFERENCE = "-----BEGIN QUOIN KEY REFERENCE-----"


def processes_of(pid):
    """Its children and theirs: {pid: name}."""
    parents, names = {}, {}
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit():
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                names[int(entry.name)] = (entry / "cmdline").read_text().partition("\0")[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
    found = {child: names[child] for child, parent in parents.items() if parent == pid and child in names}
    for child in list(found):
        found |= processes_of(child)
    return found


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_demo__once__every_act_is_observed():
    done = subprocess.run(["quoin", "demo", "--once"], capture_output=True, text=True, timeout=240)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    for line in ("simulated MCU (Linux process)", "simulated FLEXIM", "software TPM (swtpm) standing in for a chip",
                 "boot simulated", "attested: trusted level=tpm-quoted", "UNTRUSTED", "ISOLATED",
                 "refused by the broker", "none missing", "Every act was observed"):
        assert line in done.stdout
    home = re.search(r"A plant in (\S+)", done.stdout).group(1)
    assert not pathlib.Path(home).exists()


def test_demo__once_pure_json__times_are_told():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="quoin-e2e-demo-"))
    folder.chmod(0o755)
    home = folder / "plant"
    done = subprocess.run(["quoin", "demo", "--once", "--json", "--suite", "pure", "--home", home],
                          capture_output=True, text=True, timeout=240)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    times = json.loads(done.stdout)
    assert times["attack"]["reason"] == "measurement_mismatch:file:plc-program.bin"
    assert home.stat().st_mode & 0o777 == 0o700
    again = subprocess.run(["quoin", "demo", "--once", "--home", home], capture_output=True, text=True, timeout=60)
    assert again.returncode == 1 and "not empty" in again.stderr
    shutil.rmtree(folder)


# The keeper, broker, quoind, FLEXIM, three agents, and for each of two MPUs its TPM and its element.
PROCESSES = 11
ELEMENTS = {"quoin-se-mpu-1", "quoin-se-mpu-2", "swtpm-mpu-1", "swtpm-mpu-2"}


def demo_in(folder):
    home = folder / "plant"
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(["quoin", "demo", "--home", home], stdout=output, stderr=output,
                                   preexec_fn=die_with_parent)

    def runs():
        assert process.poll() is None, (folder / "output").read_text()
        return len(processes_of(process.pid)) >= PROCESSES
    waiting.until(runs, "the demo's processes run", 60)
    return process, processes_of(process.pid)


def elements_folder(folder):
    toml = (folder / "plant/devices/mpu-1/agent.toml").read_text()
    return pathlib.Path(re.search(r'store = "se:socket=(\S+)/mpu-1/se/se.sock"', toml).group(1))


def test_demo__interrupted__ends_what_it_started_and_nothing_else():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="quoin-e2e-demo-"))
    folder.chmod(0o755)
    bystander = subprocess.Popen(["sleep", "600"], preexec_fn=die_with_parent)
    process, started = demo_in(folder)
    elements = elements_folder(folder)
    assert elements.exists()
    process.send_signal(signal.SIGINT)
    process.wait(60)
    assert not [name for pid, name in started.items() if alive(pid)]
    assert not elements.exists()
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()
    shutil.rmtree(folder)


def check_users(started):
    expected = pwd.getpwnam("quoin-se").pw_uid if account.account() else os.getuid()
    assert ELEMENTS <= set(started.values())
    for pid, name in started.items():
        if name in ELEMENTS:
            uids = re.search(r"^Uid:(.*)$", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1)
            assert {int(uid) for uid in uids.split()} == {expected}, name


def test_demo__mpus_in_quoin_se__restarts_unseal_and_a_kill_leaves_nothing():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="quoin-e2e-demo-"))
    folder.chmod(0o755)
    process, started = demo_in(folder)
    check_users(started)

    def key(name):
        file = folder / "plant/devices" / name
        return file.read_text() if file.exists() else ""
    for device in ("mpu-1", "mpu-2", "mcu-1"):
        for name in ("device.key", "attest.key")[:1 if device == "mcu-1" else 2]:
            file = f"{device}/identity/current/{name}"
            waiting.until(lambda: key(file), f"{device} is enrolled", 30)
            assert key(file).startswith(REFERENCE) == (device != "mcu-1"), file

    # As when power goes: the TPM measures anew, and gives the new quoin-se its key again.
    for name in ("swtpm-mpu-2", "quoin-se-mpu-2"):
        old = next(pid for pid, its in started.items() if its == name)
        os.kill(old, signal.SIGKILL)
        waiting.until(lambda: name in [its for pid, its in processes_of(process.pid).items() if pid != old],
                      f"{name} runs again", 20)
    elements = elements_folder(folder)
    log = elements / "mpu-2/quoin-se-mpu-2.log"
    waiting.until(lambda: re.search("key_store_opened .* keys=[1-9]", log.read_text()), "it has its keys again", 20)

    started |= processes_of(process.pid)
    process.kill()
    process.wait()
    waiting.until(lambda: not [name for pid, name in started.items() if alive(pid)], "all it started has ended", 15)
    assert not elements.exists()
    shutil.rmtree(folder)


def test_demo__program_files_out_of_reach__runs_through_descriptors():
    """A checkout below a private folder of root, made with umask 077."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="quoin-e2e-private-"))
    programs = pathlib.Path(shutil.which("quoin")).parent
    for part in ("bin", "lib", "lib/quoin"):
        (folder / part).mkdir(mode=0o700)
    for name in ("quoin", "quoind", "quoin-agent", "quoin-se", "quoin-sim-flexim"):
        shutil.copy(programs / name, folder / "bin" / name)
        (folder / "bin" / name).chmod(0o700)
    for name in ("lib/quoin_broker.so", "lib/quoin/quoin.so"):
        shutil.copy(programs.parent / name, folder / name)
        (folder / name).chmod(0o700)
    assert folder.stat().st_mode & 0o777 == 0o700
    done = subprocess.run([folder / "bin/quoin", "demo", "--once"], capture_output=True, text=True, timeout=240)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    shutil.rmtree(folder)
