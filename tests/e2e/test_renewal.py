"""Certificates of the plant's own services are renewed while it runs: nothing stops, no session ends."""

import json
import pathlib
import subprocess
import sys

from lib import account, waiting
from lib.plant import SELDOM, quoin, running_plant

LIVE, STORED = 1000, 10


def shown_serial(plant, port):
    """Of the certificate that a server shows; it may refuse us afterwards."""
    shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", plant.home / "pki/root.crt"],
                           input="", capture_output=True, text=True, timeout=30).stdout
    done = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=shown, capture_output=True, text=True)
    return done.stdout.strip()


def serials(plant):
    return [shown_serial(plant, plant.ports[name]) for name in ("mqtt", "https")]


def wait_for_others(plant, before, timeout_s=30):
    def both_changed():
        now = serials(plant)
        return now if all(now) and all(one != old for one, old in zip(now, before)) else None
    return waiting.until(both_changed, "broker and quoind show other certificates", timeout_s)


def sessions(plant, live=LIVE, stored=STORED):
    key = plant.folder / "telemetry-clear.key"
    subprocess.run(["openssl", "pkey", "-in", plant.home / "services/telemetry.key", "-passin",
                    f"file:{plant.home}/unlock.key", "-out", key], check=True, capture_output=True)
    program = pathlib.Path(__file__).parent / "lib/mqtt_sessions.py"
    return subprocess.Popen(
        [sys.executable, "-B", program, str(plant.ports["mqtt"]), plant.home / "pki/root.crt",
         plant.home / "services/telemetry.crt", key, "quoin/e2e/+/telemetry/numbers", str(live), str(stored)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_renewal__a_thousand_sessions_on_the_broker__none_is_lost_and_nothing_stops():
    with running_plant(overlay=SELDOM) as plant:
        device = plant.add_device("mpu-1")
        device.wait_stored(1)
        with sessions(plant) as holder:
            assert json.loads(holder.stdout.readline()) == {"live": LIVE, "stored": STORED}
            before = serials(plant)
            processes = {name: plant.pid(name) for name in ("broker", "quoind")}
            after = plant.last_event()
            quoin("pki", "renew-services", "--home", plant.home)
            wait_for_others(plant, before)
            plant.wait_event("pki.services.replaced", after=after)
            device.wait_stored(plant.newest("mpu-1") + 20)
            print("check", file=holder.stdin, flush=True)
            assert json.loads(holder.stdout.readline()) == {"live": LIVE, "stored": STORED}
            holder.stdin.close()
        assert processes == {name: plant.pid(name) for name in ("broker", "quoind")}

        closed = [one for one in plant.events(after) if one["id"] == "broker.session.closed"]
        assert not [one for one in closed if one["subject"] == "mpu-1"], closed
        waiting.until(lambda: plant.contiguous("mpu-1") >= 20, "nothing is missing")
        # The next one is possible at once, and the audit log holds across all of them.
        quoin("pki", "renew-services", "--home", plant.home)
        plant.down()
        report = json.loads(quoin("audit", "verify", "--home", plant.home, "--json", check=False).stdout)
        assert report["holds"] or "earlier key" in report["problem"], report


def test_sessions__broker_killed__the_count_sees_it(plant):
    with sessions(plant, live=5, stored=2) as holder:
        assert json.loads(holder.stdout.readline()) == {"live": 5, "stored": 2}
        size = plant.log_size("broker")
        plant.kill("broker")
        plant.wait_log("broker", "the state of the devices is fresh", size)  # before, nobody is let in
        print("check", file=holder.stdin, flush=True)
        assert json.loads(holder.stdout.readline())["live"] == 0
        holder.stdin.close()


def test_renewal__profile_of_seconds_by_a_ca_of_hashes__quoind_renews_by_itself(tmp_path):
    profile = tmp_path / "short.toml"
    text = quoin("pki", "profiles", "hybrid").stdout
    for name in ("ra", "service"):
        text = text.replace(f'{name} = "90d"', f'{name} = "18s"')
    text = text.replace('ocsp = "30d"', 'ocsp = "18s"')
    assert text.count('"18s"') == 3
    text = text.replace('issuing = "ML-DSA-65+Ed25519"', 'issuing = "SLH-DSA-SHAKE-128f"')
    profile.write_text(text)
    with running_plant(overlay=SELDOM, profile=profile) as plant:
        device = plant.add_device("mpu-1")
        device.wait_stored(1)
        before = serials(plant)
        processes = {name: plant.pid(name) for name in ("broker", "quoind")}
        wait_for_others(plant, before, timeout_s=60)
        device.wait_stored(plant.newest("mpu-1") + 20)
        assert processes == {name: plant.pid(name) for name in ("broker", "quoind")}


def test_trust__agents_anchors_replaced_while_it_runs__followed_at_once(plant):
    device = plant.add_device("mpu-1")
    trust, root = device.folder / "trust.crt", (plant.home / "pki/root.crt").read_bytes()
    other = (plant.maker / "ca.crt").read_bytes()

    def replace(text, event):
        """And says how many samples were stored when the agent had seen it."""
        size = device.log.stat().st_size
        account.write(trust, text)
        waiting.until(lambda: event in device.log.read_text()[size:], event)
        return plant.newest("mpu-1")
    device.wait_stored(5)
    for text, event in ((b"nonsense", "trust_kept"), (root + other, "trust_replaced")):
        device.wait_stored(replace(text, event) + 10)
    # Without the plant's root the plant is nobody.
    size = device.log.stat().st_size
    replace(other, "trust_replaced")
    waiting.until(lambda: "TLS handshake" in device.log.read_text()[size:], "it refuses the broker")
    assert "\nconnected" not in device.log.read_text()[size:].rpartition("trust_replaced")[2]
    device.wait_stored(replace(root, "trust_replaced") + 20, timeout_s=60)
