"""Who may not: wrong client ids, wrong branches, revoked and foreign certificates, wills of the isolated."""

import json
import subprocess
import time

import pytest

from lib import mosquitto, waiting
from lib.plant import quoin

SAMPLE = json.dumps({"seq": 1, "low": 1, "ts": int(time.time() * 1000), "values": {"number": 1}})


def service(plant, name):
    """Credentials of one of the plant's services, for clients that look on."""
    key = plant.folder / f"{name}-clear.key"
    subprocess.run(["openssl", "pkey", "-in", plant.home / f"services/{name}.key", "-passin",
                    f"file:{plant.home}/unlock.key", "-out", key], check=True, capture_output=True)
    return {"key": key, "certificate": plant.home / f"services/{name}.crt"}


@pytest.fixture
def silent(plant):
    """An enrolled, active MCU whose agent has stopped: its certificate is free for foreign clients."""
    device = plant.add_device("mcu-a", "mcu")
    device.wait_stored(1)
    device.stop()
    return device


@pytest.mark.any_network
def test_intruder__client_id_of_another_device__refused(plant, silent):
    other = plant.add_device("mcu-b", "mcu")
    other.wait_stored(1)
    after = plant.last_event()
    done = mosquitto.publish(plant, silent, "quoin/e2e/mcu-b/telemetry/numbers", SAMPLE, client_id="mcu-b")
    assert "Not authorized" in done.stdout + done.stderr, done
    plant.wait_event("broker.session.refused", "mcu-a", after, why='client id "mcu-b" is not mcu-a')
    # And the one whose name it took stays connected.
    stored = plant.newest("mcu-b")
    other.wait_stored(stored + 20)
    assert not [one for one in plant.events(after) if one["id"] == "broker.session.closed" and one["subject"] == "mcu-b"]


@pytest.mark.any_network
def test_intruder__publishes_under_another_branch__denied_and_not_stored(plant, silent):
    plant.add_device("mcu-b", "mcu", start=False)
    after = plant.last_event()
    done = mosquitto.publish(plant, silent, "quoin/e2e/mcu-b/telemetry/numbers", SAMPLE)
    assert "Not authorized" in done.stdout + done.stderr, done
    plant.wait_event("broker.access.denied", "mcu-a", after)
    assert plant.newest("mcu-b") == 0


@pytest.mark.any_network
def test_intruder__subscribes_to_another_branch__hears_nothing(plant, silent):
    other = plant.add_device("mcu-b", "mcu", rate=20)
    other.wait_stored(1)
    # A service hears it: there is something to hear.
    assert "mcu-b/telemetry" in mosquitto.heard(
        plant, silent, "quoin/e2e/+/telemetry/+", client_id="service.telemetry-test", **service(plant, "telemetry"))
    for topic in ("quoin/e2e/mcu-b/#", "quoin/e2e/mcu-b/telemetry/numbers", "quoin/e2e/+/telemetry/+", "#"):
        after = plant.last_event()
        out = mosquitto.heard(plant, silent, topic)
        assert "mcu-b/telemetry" not in out, topic
        plant.wait_event("broker.access.denied", "mcu-a", after, topic=topic)


@pytest.mark.any_network
def test_intruder__own_certificate_and_branch__is_an_ordinary_client(plant, silent):
    sample = json.dumps({"seq": 1, "low": 1, "ts": int(time.time() * 1000), "values": {"number": 42}})
    done = mosquitto.publish(plant, silent, "quoin/e2e/mcu-a/telemetry/by_hand", sample)
    assert done.returncode == 0, done.stderr
    waiting.until(lambda: plant.newest("mcu-a", "by_hand") == 1, "the sample is stored")
    assert all(one["values"]["number"] == one["seq"] - 1 for one in plant.samples("mcu-a", "numbers"))


@pytest.mark.any_network
def test_intruder__revoked_certificate__refused(plant, silent):
    key = silent.clear_key()
    topic, text = "quoin/e2e/mcu-a/event", '{"event":"hello"}'
    assert mosquitto.publish(plant, silent, topic, text, key=key).returncode == 0
    quoin("device", "revoke", "mcu-a", "--reason", "superseded", "--home", plant.home)
    after = plant.last_event()
    done = mosquitto.publish(plant, silent, topic, text, key=key)
    assert "Not authorized" in done.stdout + done.stderr, done
    plant.wait_event("broker.session.refused", "mcu-a", after, why="revoked")


# What TLS itself refuses never reaches the plugin: the broker's log says why.


def refused_in_tls(plant, silent, why, **credentials):
    since = plant.log_size("broker")
    done = mosquitto.publish(plant, silent, "quoin/e2e/mcu-a/event", '{"event":"hello"}', **credentials)
    assert done.returncode != 0, done
    plant.wait_log("broker", why, since)


def test_intruder__birth_certificate_at_the_broker__refused(plant, silent):
    refused_in_tls(plant, silent, "certificate verify failed", key=silent.clear_key(silent.folder / "birth.key"),
                   certificate=silent.folder / "birth.crt")


def test_intruder__certificate_of_a_foreign_ca_with_the_right_name__refused(plant, silent):
    folder = plant.folder / "foreign"
    folder.mkdir()
    make = ["openssl", "req", "-x509", "-newkey", "MLDSA44-Ed25519", "-noenc", "-days", "1", "-subj", "/CN=mcu-a", "-addext",
            "subjectAltName=URI:quoin://e2e/device/mcu-a", "-keyout", folder / "key", "-out", folder / "crt"]
    subprocess.run(make, check=True, capture_output=True)
    refused_in_tls(plant, silent, "certificate verify failed", key=folder / "key", certificate=folder / "crt")


def test_intruder__no_certificate__refused(plant):
    since = plant.log_size("broker")
    done = subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(plant.mqtt_port), "-i", "mcu-a", "--cafile",
                           plant.home / "pki/root.crt", "-t", "x", "-m", "y"],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode != 0
    plant.wait_log("broker", "peer did not return a certificate", since)


@pytest.mark.any_network
def test_intruder__will_of_a_quarantined_device__is_never_delivered(plant):
    """A trusted device's will is delivered; a quarantined one's is not, and its retained messages are fenced."""
    device = plant.add_device("mpu-a")
    device.wait_stored(1)
    plant.wait_state("mpu-a", "active")
    device.stop()
    key = device.clear_key()
    will = "quoin/e2e/mpu-a/event"

    def session(text):
        """A client that publishes each line of its input as evidence, with a retained will."""
        after = plant.last_event()
        running = mosquitto.publish_lines(plant, device, "quoin/e2e/mpu-a/attest/evidence", key=key, extra=[
            "--will-topic", will, "--will-payload", json.dumps({"event": text}), "--will-qos", "1", "--will-retain"])
        plant.wait_event("broker.session.opened", "mpu-a", after)
        return running

    def heard():
        return mosquitto.heard(plant, device, "quoin/e2e/+/event", client_id="service.verifier-test",
                               **service(plant, "verifier"))

    first = session("will-1")
    first.kill()
    waiting.until(lambda: "will-1" in heard(), "the will of a trusted device is delivered, and retained")

    second = session("will-2")
    after = plant.last_event()
    second.stdin.write("this is no evidence\n")
    second.stdin.flush()
    plant.wait_event("verifier.evidence.untrusted", "mpu-a", after)
    plant.wait_event("broker.session.isolated", "mpu-a", after)
    plant.wait_state("mpu-a", "quarantined")
    second.kill()  # mosquitto_pub waits for its input before it notices
    assert heard() == ""
