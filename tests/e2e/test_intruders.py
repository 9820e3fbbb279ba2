"""Who may not: wrong client ids, wrong branches, revoked and foreign certificates, wills of the isolated."""

import json
import subprocess
import time

import pytest

from lib import mosquitto, waiting
from lib.plant import quoin

SAMPLE = json.dumps({"seq": 1, "low": 1, "ts": int(time.time() * 1000), "values": {"number": 1}})


@pytest.fixture
def silent(plant):
    """An enrolled, active MCU whose agent has stopped: its certificate is free for foreign clients."""
    device = plant.add_device("mcu-a", "mcu")
    device.wait_stored(1)
    device.stop()
    return device


def test_intruder__client_id_of_another_device__refused(plant, silent):
    other = plant.add_device("mcu-b", "mcu")
    other.wait_stored(1)
    after = plant.last_event()
    done = mosquitto.publish(plant, silent, "quoin/e2e/mcu-b/telemetry/numbers", SAMPLE, client_id="mcu-b")
    assert done.returncode != 0
    refused = plant.wait_event("broker.session.refused", after=after)
    assert "mcu" in json.dumps(refused)
    # And the one whose name it took stays connected.
    stored = plant.newest("mcu-b")
    other.wait_stored(stored + 20)
    assert not [one for one in plant.events(after) if one["id"] == "broker.session.closed" and one["subject"] == "mcu-b"]


def test_intruder__publishes_under_another_branch__denied_and_not_stored(plant, silent):
    plant.add_device("mcu-b", "mcu", start=False)
    after = plant.last_event()
    done = mosquitto.publish(plant, silent, "quoin/e2e/mcu-b/telemetry/numbers", SAMPLE)
    assert done.returncode != 0 or "Not authorized" in done.stdout + done.stderr
    plant.wait_event("broker.access.denied", "mcu-a", after)
    assert plant.newest("mcu-b") == 0


def test_intruder__subscribes_to_another_branch__hears_nothing(plant, silent):
    other = plant.add_device("mcu-b", "mcu", rate=20)
    other.wait_stored(1)
    for topic in ("quoin/e2e/mcu-b/#", "quoin/e2e/+/telemetry/+", "#"):
        heard = mosquitto.subscribe(plant, silent, topic, wait_s=2)
        out, _ = heard.communicate(timeout=20)
        assert "mcu-b/telemetry" not in out, topic


def test_intruder__own_certificate_and_branch__is_an_ordinary_client(plant, silent):
    stored = plant.newest("mcu-a", "numbers")
    sample = json.dumps({"seq": 1, "low": 1, "ts": int(time.time() * 1000), "values": {"number": 42}})
    done = mosquitto.publish(plant, silent, "quoin/e2e/mcu-a/telemetry/by_hand", sample)
    assert done.returncode == 0, done.stderr
    waiting.until(lambda: plant.newest("mcu-a", "by_hand") == 1, "the sample is stored")
    assert plant.newest("mcu-a", "numbers") == stored


def test_intruder__revoked_certificate__refused(plant, silent):
    key = silent.clear_key()
    quoin("device", "revoke", "mcu-a", "--reason", "test", "--home", plant.home)
    after = plant.last_event()
    done = mosquitto.publish(plant, silent, "quoin/e2e/mcu-a/telemetry/numbers", SAMPLE, key=key)
    assert done.returncode != 0
    plant.wait_event("broker.session.refused", "mcu-a", after)


def test_intruder__birth_certificate_at_the_broker__refused(plant, silent):
    key = silent.clear_key(silent.folder / "birth.key")
    done = mosquitto.publish(plant, silent, "quoin/e2e/mcu-a/telemetry/numbers", SAMPLE, key=key,
                             certificate=silent.folder / "birth.crt")
    assert done.returncode != 0


def test_intruder__certificate_of_a_foreign_ca_with_the_right_name__refused(plant, silent):
    folder = plant.folder / "foreign"
    folder.mkdir()
    make = ["openssl", "req", "-x509", "-newkey", "ML-DSA-44", "-noenc", "-days", "1", "-subj", "/CN=mcu-a", "-addext",
            "subjectAltName=URI:urn:quoin:e2e:device:mcu-a", "-keyout", folder / "key", "-out", folder / "crt"]
    subprocess.run(make, check=True, capture_output=True)
    done = mosquitto.publish(plant, silent, "quoin/e2e/mcu-a/telemetry/numbers", SAMPLE, key=folder / "key",
                             certificate=folder / "crt")
    assert done.returncode != 0


def test_intruder__no_certificate__refused(plant):
    done = subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(plant.ports["mqtt"]), "-i", "mcu-a", "--cafile",
                           plant.home / "pki/root.crt", "-t", "x", "-m", "y"],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode != 0


def test_intruder__will_of_a_quarantined_device__is_never_delivered(plant):
    """A clean device's will is delivered; an isolated one's is not, and its retained messages are fenced."""
    device = plant.add_device("mpu-a")
    device.wait_stored(1)
    plant.wait_state("mpu-a", "active")
    device.stop()
    key = device.clear_key()
    will = "quoin/e2e/mpu-a/event"
    retained = mosquitto.publish(plant, device, will, '{"event":"retained"}', key=key, extra=["-r"])
    assert retained.returncode == 0, retained.stderr
    after = plant.last_event()
    session = mosquitto.subscribe(plant, device, "quoin/e2e/mpu-a/cmd", key=key, wait_s=60, extra=[
        "--will-topic", will, "--will-payload", '{"event":"will"}', "--will-qos", "1", "--will-retain"])
    opened = plant.wait_event("broker.session.opened", "mpu-a", after)
    after = opened["number"]
    quoin("device", "revoke", "mpu-a", "--reason", "test", "--home", plant.home)
    plant.wait_event("broker.session.isolated", "mpu-a", after)
    assert session.wait(20) != 0, session.stdout.read()
    service_key = plant.folder / "verifier.key"
    subprocess.run(["openssl", "pkey", "-in", plant.home / "services/verifier.key", "-passin",
                    f"file:{plant.home}/unlock.key", "-out", service_key], check=True, capture_output=True)
    listener = mosquitto.subscribe(plant, device, "quoin/e2e/+/event", client_id="service.verifier-test", wait_s=3,
                                   key=service_key, certificate=plant.home / "services/verifier.crt")
    out, _ = listener.communicate(timeout=20)
    assert "will" not in out and "retained" not in out, out
