"""What is not known to be fresh is not trusted (I10); what runs out is renewed in time."""

import json
import signal
import subprocess

import pytest

from lib import background, mosquitto, network, waiting
from lib.plant import OVERLAY, SELDOM, quoin, running_plant


@background.scenario
def test_freshness__quoind_away_beyond_the_feeds_lifetime__refused_until_it_is_back():
    with running_plant(OVERLAY + "[feed]\nlifetime_s = 3\n") as plant:
        device = plant.add_device("mcu-1", "mcu", rows=100_000, rate=20)
        device.wait_stored(10)
        other = plant.add_device("mcu-2", "mcu")
        other.wait_stored(1)
        other.stop()
        key = other.clear_key()
        topic, text = "quoin/e2e/mcu-2/event", '{"event":"hello"}'
        # A stopped quoind keeps its sockets open and says nothing: the worst kind of away.
        plant.kill("quoind", signal.SIGSTOP)
        assert mosquitto.publish(plant, other, topic, text, key=key).returncode == 0  # fresh still: goes on
        waiting.until(lambda: mosquitto.publish(plant, other, topic, text, key=key).returncode != 0,
                      "the broker refuses by stale knowledge", 15, 0.5)
        plant.kill("quoind", signal.SIGCONT)
        waiting.until(lambda: mosquitto.publish(plant, other, topic, text, key=key).returncode == 0, "it works again", 30, 0.5)
        stored = plant.newest("mcu-1")
        device.wait_stored(stored + 20, timeout_s=60)
        samples = plant.samples("mcu-1")
        assert [one["values"]["number"] for one in samples] == list(range(len(samples)))


SHORT_CERTIFICATES = OVERLAY + "[pki]\ndevice_lifetime_s = 20\nrenew_at = 0.5\n"


@background.scenario
def test_renewal__short_lifetime__renewed_without_a_gap():
    with running_plant(SHORT_CERTIFICATES) as plant:
        is_renewed_twice(plant, longest_wait_ms=3000)


@background.scenario
def test_renewal__short_lifetime_bad_network__renewed_and_nothing_lost():
    with running_plant(SELDOM + "[pki]\ndevice_lifetime_s = 30\nrenew_at = 0.4\n", faults=network.WORSE) as plant:
        is_renewed_twice(plant, longest_wait_ms=20_000)


def is_renewed_twice(plant, longest_wait_ms):
    device = plant.add_device("mpu-1", rows=100_000, rate=20)
    device.wait_stored(1)
    first = plant.wait_event("pki.certificate.issued", "mpu-1")
    waiting.until(lambda: len([one for one in plant.events(first["number"]) if one["id"] == "pki.certificate.renewed"
                               and one["subject"] == "mpu-1"]) >= 2, "the certificate is renewed twice", 60)
    waiting.elapse(12)  # past the end of the first certificate
    stored = plant.newest("mpu-1")
    device.wait_stored(stored + 40)
    samples = plant.samples("mpu-1")
    assert [one["values"]["number"] for one in samples] == list(range(len(samples)))
    waits = [one["stored_ms"] - one["ts_ms"] for one in samples if one["ts_ms"] > samples[0]["stored_ms"]]
    assert len(waits) > 100 and max(waits) < longest_wait_ms  # no sample waited for a certificate
    assert plant.state("mpu-1") == "active"


@background.scenario
def test_renewal__agent_stopped_past_the_end__expired_certificate_is_refused():
    with running_plant(SHORT_CERTIFICATES) as plant:
        device = plant.add_device("mcu-1", "mcu")
        device.wait_stored(1)
        device.stop()
        key = device.clear_key()
        assert mosquitto.publish(plant, device, "quoin/e2e/mcu-1/event", '{"event":"x"}', key=key).returncode == 0
        waiting.elapse(21)
        since = plant.log_size("broker")
        assert mosquitto.publish(plant, device, "quoin/e2e/mcu-1/event", '{"event":"x"}', key=key).returncode != 0
        plant.wait_log("broker", "certificate verify failed", since)
        # The birth certificate does not expire with it: the device comes back by itself.
        stored = plant.newest("mcu-1")
        device.start()
        device.wait_stored(stored + 20)


@background.scenario
def test_after_expiry__policy__refused_then_taken_in_by_its_birth_certificate():
    def policy(word):
        return f'[pki]\ndevice_lifetime_s = 10\nrenew_at = 0.5\n[ra]\nafter_expiry = "{word}"\n'

    def enrolments(state):
        listed = quoin("enrolment", "list", "--state", state, "--json", "--home", plant.home).stdout
        return [one for one in json.loads(listed)["enrolments"] if one["device"] == "mpu-1"]
    with running_plant(OVERLAY + policy("refuse")) as plant:
        device = plant.add_device("mpu-1")
        device.wait_stored(5)
        device.stop()
        waiting.elapse(11)
        before, size, stored = enrolments("issued"), device.log.stat().st_size, plant.newest("mpu-1")
        device.start()
        waiting.until(lambda: "does not take it in again by itself" in device.log.read_text()[size:], "it is told")
        assert "enrol_refused" in device.log.read_text()[size:] and enrolments("issued") == before
        assert plant.newest("mpu-1") == stored and not enrolments("pending")
        device.stop()
        (plant.home / "conf.d/50-test.toml").write_text(OVERLAY + policy("auto"))
        plant.kill("quoind")
        waiting.until(lambda: plant.state("mpu-1"), "quoind answers again")
        device.start()
        device.wait_stored(stored + 20)
        kinds = {one["kind"] for one in enrolments("issued") if one["by"] == "rule:after_expiry" and not one["renewal"]}
        assert kinds == {"device", "attest"}


@background.scenario
def test_session__certificate_expires_while_connected__session_ends():
    with running_plant(SHORT_CERTIFICATES) as plant:
        device = plant.add_device("mcu-1", "mcu")
        device.wait_stored(1)
        device.stop()
        after = plant.last_event()
        session = mosquitto.subscribe(plant, device, "quoin/e2e/mcu-1/cmd", wait_s=60)
        plant.wait_event("broker.session.opened", "mcu-1", after)
        assert session.wait(40) != 0
        assert mosquitto.publish(plant, device, "quoin/e2e/mcu-1/event", '{"event":"x"}').returncode != 0


def renew_by_hand(plant, device, key):
    """The HTTP status of simplereenroll for a new key, asked by curl in the device's name."""
    request = plant.folder / "again.csr"
    subprocess.run(["openssl", "req", "-new", "-newkey", "MLDSA44-Ed25519", "-noenc", "-keyout", plant.folder / "again.key",
                    "-subj", f"/CN={device.name}", "-outform", "DER", "-out", request], check=True, capture_output=True)
    encoded = subprocess.run(["openssl", "base64", "-in", request], check=True, capture_output=True).stdout
    done = subprocess.run(["curl", "--silent", "--cacert", plant.home / "pki/root.crt", "--cert", device.identity / "device.crt",
                           "--key", key, "--header", "Content-Type: application/pkcs10", "--data-binary", encoded,
                           "--write-out", "%{http_code}",
                           f"https://127.0.0.1:{plant.https_port}/.well-known/est/simplereenroll"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done
    return done.stdout[-3:]


@pytest.mark.any_network
def test_crl__revoked_device__is_on_the_list_and_cannot_renew(plant):
    device = plant.add_device("mcu-1", "mcu", foreign=True)  # curl renews, too
    device.wait_stored(1)
    device.stop()
    key = device.clear_key()
    serial = subprocess.run(["openssl", "x509", "-in", device.identity / "device.crt", "-noout", "-serial"], check=True,
                            capture_output=True, text=True).stdout.strip().partition("=")[2].lower()
    assert renew_by_hand(plant, device, key) == "200"
    quoin("device", "revoke", "mcu-1", "--reason", "superseded", "--home", plant.home)

    def listed():
        text = subprocess.run(["openssl", "crl", "-in", plant.home / "pki/crl.pem", "-noout", "-text"], check=True,
                              capture_output=True, text=True).stdout.lower()
        return serial.lstrip("0") in text
    waiting.until(listed, f"serial {serial} is on the CRL")
    assert renew_by_hand(plant, device, key) == "401"
