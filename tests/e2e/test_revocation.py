"""One verb ends a device, at once and for good; what says so is signed, numbered, and not to be taken back."""

import base64
import json
import os
import pathlib
import pty
import signal
import sqlite3
import subprocess
import threading

from lib import account, background, mosquitto, waiting
from lib.plant import OVERLAY, quoin, running_plant
from lib.postgres import Postgres
from lib.seeds import seeded

FAST_FEED = OVERLAY + "[feed]\nlifetime_s = 3\n"


def revoke(plant, *words, check=True, **options):
    return quoin("device", "revoke", *words, "--home", plant.home, "--json", check=check, **options)


def revoked(plant, *words):
    return json.loads(revoke(plant, *words).stdout)


def may_speak(plant, device, key, certificate=None):
    done = mosquitto.publish(plant, device, f"quoin/e2e/{device.name}/event", '{"event":"hello"}', key=key,
                             certificate=certificate)
    return done.returncode == 0


def import_names(plant, names):
    batch = plant.folder / "names.jsonl"
    batch.write_text("".join(f'{{"silicon_id":"{name}","class":"mcu","birth_cert_sha256":"{index + 1:064x}"}}\n'
                             for index, name in enumerate(names)))
    quoin("device", "import", batch, "--home", plant.home)
    return batch


def statements(plant):
    """What was signed, in the order of the numbers, which must have no gap."""
    with sqlite3.connect(f"file:{plant.home}/db/quoin.sqlite?mode=ro", uri=True) as database:
        rows = database.execute("SELECT seq, statement FROM revocations ORDER BY seq").fetchall()
    assert [number for number, _ in rows] == list(range(1, len(rows) + 1))
    return [base64.b64decode(text) for _, text in rows]


def ends_and_comes_back(plant):
    """The life of a device that is revoked, and of the one that it becomes."""
    device = plant.add_device("mcu-1", "mcu")
    device.wait_stored(5)
    before = revoked(plant, "mcu-1", "--reason", "key_compromise", "--dry-run")
    assert before["live_session"] and len(before["certificates"]) == 1 and before["state_before"] == "active"
    assert plant.state("mcu-1") == "active"
    after = plant.last_event()
    done = revoked(plant, "mcu-1", "--reason", "key_compromise", "--note", "stolen from the van")
    assert done["certificates"] == before["certificates"] and done["statement"] == 1 and not done["already_revoked"]
    plant.wait_event("broker.session.isolated", "mcu-1", after)
    plant.wait_event("broker.session.refused", "mcu-1", after, why="stolen from the van")
    shown = plant.rest.get("devices/mcu-1")
    assert shown["state"] == "revoked" and shown["certificates"][0]["revocation_reason"] == "key_compromise"
    text = subprocess.run(["openssl", "crl", "-in", plant.home / "pki/crl.pem", "-noout", "-text"], check=True,
                          capture_output=True, text=True).stdout
    assert "Key Compromise" in text
    assert revoked(plant, "mcu-1", "--reason", "key_compromise")["already_revoked"]

    device.stop()
    key, certificate = device.clear_key(), device.folder / "identity/current/device.crt"
    old = plant.folder / "mcu-1-old"
    device.folder.rename(old)
    certificate = old / certificate.relative_to(device.folder)
    refused = quoin("device", "import", "--readmit", plant.folder / "mcu-1.jsonl", "--home", plant.home, check=False)
    assert refused.returncode == 1 and "epoch 1" in refused.stderr  # its first birth certificate
    plant.maker = plant.folder / "repair-shop"
    quoin("birth", "--maker", plant.maker, "--class", "mcu", "unused-2")
    quoin("pki", "trust-maker", plant.maker / "ca.crt", "--home", plant.home)
    again = plant.add_device("mcu-1", "mcu", start=False, register=False)
    line = next(line for line in (plant.maker / "batch.jsonl").read_text().splitlines() if '"mcu-1"' in line)
    (plant.folder / "again.jsonl").write_text(line + "\n")
    refused = quoin("device", "import", plant.folder / "again.jsonl", "--home", plant.home, check=False)
    assert refused.returncode == 1 and "--readmit" in refused.stderr
    quoin("device", "import", "--readmit", plant.folder / "again.jsonl", "--home", plant.home)
    after = plant.last_event()
    again.start()
    plant.wait_event("broker.session.opened", "mcu-1", after, timeout_s=60)
    assert plant.rest.get("devices/mcu-1")["epoch"] == 2
    assert not may_speak(plant, again, key, certificate), "the old certificate"
    again.stop()
    assert may_speak(plant, again, again.clear_key())


def test_revocation__live_device__ends_at_once_and_comes_back_as_another(plant):
    ends_and_comes_back(plant)


@background.scenario
def test_revocation__postgres__the_same_and_in_bulk():
    with Postgres() as server, running_plant(up=("--database", server.url)) as plant:
        ends_and_comes_back(plant)
        names = [f"bulk-{i:04}" for i in range(1200)]
        batch = import_names(plant, names)
        assert revoked(plant, "--batch", batch, "--reason", "superseded")["revoked"] == 1200
        assert revoked(plant, "--batch", batch, "--reason", "superseded")["already_revoked"] == 1200


@background.scenario
def test_revocation__while_the_broker_is_away__refused_before_anything_is_accepted():
    with running_plant() as plant:
        device, other = (plant.add_device(name, "mcu") for name in ("mcu-1", "mcu-2"))
        keys = {}
        for each in (device, other):
            each.wait_stored(1)
            each.stop()
            keys[each.name] = each.clear_key()
        assert may_speak(plant, device, keys["mcu-1"])
        os.kill(plant.supervisor(), signal.SIGSTOP)  # it would start the broker again
        try:
            plant.kill("broker")
            revoked(plant, "mcu-1", "--reason", "key_compromise")
        finally:
            os.kill(plant.supervisor(), signal.SIGCONT)
        tries = []
        waiting.until(lambda: tries.append(may_speak(plant, device, keys["mcu-1"])) or may_speak(plant, other, keys["mcu-2"]),
                      "the broker is back and knows mcu-2", 60, 0.05)
        assert not any(tries) and not may_speak(plant, device, keys["mcu-1"])


@background.scenario
def test_revocation__feed_replayed_or_forged__nobody_comes_back():
    with running_plant(FAST_FEED) as plant:
        device = plant.add_device("mcu-1", "mcu")
        device.wait_stored(1)
        device.stop()
        key = device.clear_key()
        run = plant.home / "run"
        with open(plant.folder / "proxy.log", "wb") as log:
            script = plant.folder / "feed_proxy.py"
            account.write(script, (pathlib.Path(__file__).parent / "lib/feed_proxy.py").read_text(), 0o644)
            proxy = account.spawn(["python3", str(script), str(plant.home)], log)
        try:
            waiting.until(lambda: (run / "quoind-feed.sock").exists(), "the proxy listens")
            since = plant.log_size("broker")
            plant.kill("broker")  # the next one meets the proxy
            plant.wait_log("broker", "the state of 1 devices is there", since)
            assert may_speak(plant, device, key)
            recorded = (run / "heard").read_bytes()
            old = recorded[:recorded.index(b"\n", recorded.index(b"snapshot_end")) + 1]

            # A statement that the CA did not sign.
            since = plant.log_size("broker")
            seq = json.loads(old.splitlines()[-1])["seq"] + 1
            account.write(run / "inject.new", json.dumps({"type": "revocation", "seq": seq, "statement": "AAAA",
                                                          "signature": "AAAA"}) + "\n")
            (run / "inject.new").rename(run / "inject")
            plant.wait_log("broker", "no connection to quoind", since)
            plant.wait_log("broker", "connected to quoind", since)
            assert may_speak(plant, device, key)

            # A feed of before the revocation, said again: to the broker that knows better, and to a new one.
            revoked(plant, "mcu-1", "--reason", "key_compromise")
            plant.wait_log("broker", "revocation 1: 1 devices", since)
            account.write(run / "replay.new", old)
            (run / "replay.new").rename(run / "replay")
            for _ in range(2):
                since = plant.log_size("broker")
                plant.kill("broker")
                plant.wait_log("broker", "of another site or connection", since)
                assert not may_speak(plant, device, key)
            (run / "replay").unlink()
            plant.wait_log("broker", "the state of 1 devices is there", since)
            assert not may_speak(plant, device, key)
        finally:
            proxy.kill()
            proxy.wait()


@background.scenario
def test_revocation__bulk_cut_off_by_crashes__the_same_command_goes_on():
    with running_plant() as plant:
        names = [f"bulk-{i:04}" for i in range(3000)]
        batch = import_names(plant, names)
        words = ["quoin", "device", "revoke", "--batch", str(batch), "--reason", "superseded", "--home", str(plant.home)]
        with seeded("bulk") as moments:
            cut_off = 0
            for _ in range(5):
                running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                waiting.elapse(moments.uniform(0.02, 0.25))
                plant.kill("quoind")
                problem = running.communicate(timeout=60)[1]
                waiting.until(lambda: plant.state(names[0]), "quoind answers again")
                if running.returncode == 0:
                    break
                cut_off += "goes on from there" in problem
        screen = terminal_output(words)
        assert "revoking [" in screen and "3000/3000" in screen, screen
        done = revoked(plant, "--batch", batch, "--reason", "superseded")
        assert done["already_revoked"] == 3000 and done["revoked"] == 0
        said = b"".join(statements(plant))
        assert all(said.count(name.encode()) == 1 for name in names)
        unknown = revoke(plant, "--batch", write_list(plant, ["bulk-0001", "nobody"]), "--reason", "superseded", check=False)
        assert unknown.returncode == 1 and json.loads(unknown.stdout)["unknown"] == ["nobody"]
        print(f"bulk: cut off {cut_off} times")


def write_list(plant, names):
    path = plant.folder / "list"
    path.write_text("\n".join(names) + "\n")
    return path


def terminal_output(words):
    """What a command writes to a terminal on its stderr."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    pieces = []

    def read():
        try:
            while piece := os.read(ours, 4096):
                pieces.append(piece)
        except OSError:
            pass  # the other end is closed
    reader = threading.Thread(target=read)
    reader.start()
    assert process.wait(60) == 0
    reader.join()
    os.close(ours)
    return b"".join(pieces).decode()


@background.scenario
def test_revocation__quoind_killed_around_each__the_same_command_succeeds():
    with running_plant() as plant, seeded("revoke") as moments:
        names = [f"one-{i:02}" for i in range(6)]
        import_names(plant, names)
        for name in names:
            words = ["quoin", "device", "revoke", name, "--reason", "superseded", "--home", str(plant.home)]
            running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            waiting.elapse(moments.uniform(0.0, 0.06))
            plant.kill("quoind")
            running.wait(60)
            waiting.until(lambda: plant.state(name), "quoind answers again")
            revoked(plant, name, "--reason", "superseded")
            assert plant.state(name) == "revoked"
        said = statements(plant)
        assert len(said) == len(names)
        assert all(sum(name.encode() in one for one in said) == 1 for name in names)


@background.scenario
def test_service_revoked__its_session_ends_and_a_renewal_brings_it_back():
    with running_plant() as plant:
        device = plant.add_device("mpu-1")
        device.wait_stored(5)
        for name in ("telemetry", "verifier"):
            after = plant.last_event()
            quoin("pki", "revoke-service", name, "--reason", "key_compromise", "--home", plant.home)
            plant.wait_event("broker.session.isolated", f"service.{name}", after)
            plant.wait_event("broker.session.refused", name, after, why="is revoked")
        since = plant.log_size("broker")
        plant.kill("broker")  # one that knows nothing: it is told before anybody comes in
        plant.wait_log("broker", "refused telemetry", since)
        stored = plant.newest("mpu-1")
        quoin("pki", "renew-services", "--home", plant.home)
        device.wait_stored(stored + 20, timeout_s=60)
