"""`quoin demo --once`: the first thing a stranger sees."""

import json
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

from lib import waiting
from lib.account import die_with_parent


def children_of(pid):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "stat").read_text().rpartition(")")[2].split()[1] == str(pid):
                found.append(int(entry.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
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
    for line in ("simulated MCU (Linux process)", "simulated FLEXIM", "UNTRUSTED", "ISOLATED",
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


def demo_in(folder):
    home = folder / "plant"
    process = subprocess.Popen(["quoin", "demo", "--home", home], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, preexec_fn=die_with_parent)

    def runs():
        assert process.poll() is None, process.stdout.read()
        return len(children_of(process.pid)) >= 6
    waiting.until(runs, "the demo's six processes run", 60)
    return process, children_of(process.pid)


def test_demo__interrupted__ends_what_it_started_and_nothing_else():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="quoin-e2e-demo-"))
    folder.chmod(0o755)
    bystander = subprocess.Popen(["sleep", "600"], preexec_fn=die_with_parent)
    process, children = demo_in(folder)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert not [pid for pid in children if alive(pid)]
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()
    shutil.rmtree(folder)


def test_demo__killed__leaves_no_process():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="quoin-e2e-demo-"))
    folder.chmod(0o755)
    process, children = demo_in(folder)
    process.kill()
    process.wait()
    waiting.until(lambda: not [pid for pid in children if alive(pid)], "the kernel ended its children", 10)
    shutil.rmtree(folder)


def test_demo__program_files_out_of_reach__runs_through_descriptors():
    """A checkout below a private folder of root, made with umask 077."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="quoin-e2e-private-"))
    programs = pathlib.Path(shutil.which("quoin")).parent
    for part in ("bin", "lib", "lib/quoin"):
        (folder / part).mkdir(mode=0o700)
    for name in ("quoin", "quoind", "quoin-agent", "quoin-sim-flexim"):
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
