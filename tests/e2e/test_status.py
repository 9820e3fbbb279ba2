"""The status of certificates (OCSP): who asks, who refuses, and what happens while nobody can answer."""

import signal
import subprocess

from lib import background, waiting
from lib.plant import OVERLAY, SELDOM, quoin, running_plant

# Answers live shortly, so that a test need not wait for long.
SHORT = OVERLAY + "[pki]\nocsp_lifetime_s = 8\n"


def openssl_ocsp(plant, *arguments):
    home = plant.home
    return subprocess.run(
        ["openssl", "ocsp", "-issuer", home / "pki/issuing.crt", "-CAfile", home / "pki/root.crt",
         "-url", f"http://127.0.0.1:{plant.ports['http']}/ocsp", *arguments],
        capture_output=True, text=True, timeout=30)


def test_openssl_ocsp__a_live_plant__good_revoked_and_unknown(plant):
    """A foreign client and verifier, with and without nonce, naming the issuer by SHA-1 and by SHA-256."""
    services = plant.home / "services"
    for options in ([], ["-sha256"], ["-no_nonce"]):
        done = openssl_ocsp(plant, *options, "-cert", services / "broker.crt")
        assert "Response verify OK" in done.stderr, done
        assert f"{services}/broker.crt: good" in done.stdout, done
    quoin("pki", "revoke-service", "audit", "--reason", "key_compromise", "--home", plant.home)
    done = openssl_ocsp(plant, "-cert", services / "audit.crt", "-cert", services / "broker.crt")
    assert f"{services}/audit.crt: revoked" in done.stdout and "Reason: keyCompromise" in done.stdout, done
    assert f"{services}/broker.crt: good" in done.stdout, done
    done = openssl_ocsp(plant, "-serial", "0x1234")
    assert "0x1234: unknown" in done.stdout, done


def test_curl__ocsp_by_get_and_status_of_quoind__verified(plant):
    """GET as RFC 6960 has it, checked by openssl; and the staple: curl --cert-status demands it."""
    folder, home = plant.folder, plant.home
    subprocess.run(["openssl", "ocsp", "-issuer", home / "pki/issuing.crt", "-cert", home / "services/broker.crt",
                    "-no_nonce", "-reqout", folder / "request.der"], check=True, capture_output=True)
    encoded = subprocess.run(["openssl", "base64", "-A", "-in", folder / "request.der"], check=True,
                             capture_output=True, text=True).stdout.strip()
    url = f"http://127.0.0.1:{plant.ports['http']}/ocsp/" + encoded.replace("+", "%2B").replace("/", "%2F")
    got = subprocess.run(["curl", "--silent", "--fail", url.replace("=", "%3D")], check=True, capture_output=True)
    (folder / "response.der").write_bytes(got.stdout)
    done = subprocess.run(["openssl", "ocsp", "-respin", folder / "response.der", "-issuer", home / "pki/issuing.crt",
                           "-cert", home / "services/broker.crt", "-CAfile", home / "pki/root.crt", "-no_nonce"],
                          capture_output=True, text=True)
    assert "Response verify OK" in done.stderr and ": good" in done.stdout, done
    stapled = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{plant.ports['https']}", "-CAfile", home / "pki/root.crt",
         "-status"], input="", capture_output=True, text=True, timeout=30)
    assert "OCSP Response Status: successful" in stapled.stdout and "Cert Status: good" in stapled.stdout, stapled


def test_quoind_certificate_revoked__every_https_client_refuses_it(plant):
    device = plant.add_device("mpu-1")
    device.wait_stored(5)
    url = f"https://127.0.0.1:{plant.ports['https']}"
    remote = ("status", "--url", url, "--home", plant.home)
    quoin(*remote)
    quoin("pki", "revoke-service", "quoind", "--reason", "key_compromise", "--home", plant.home)
    waiting.until(lambda: "revoked" in quoin(*remote, check=False).stderr, "the CLI refuses quoind")
    late = plant.add_device("mcu-1", "mcu")
    waiting.until(lambda: "is revoked (keyCompromise)" in late.log.read_text(), "a new device refuses quoind")


def test_operator_revoked__is_refused_at_once(plant):
    url = f"https://127.0.0.1:{plant.ports['https']}"
    quoin("pki", "operator", "anna", "--role", "operator", "--home", plant.home)
    anna = ("status", "--url", url, "--home", plant.home, "--certificate", plant.home / "operator/anna.crt")
    quoin(*anna)
    quoin("pki", "revoke-operator", "anna", "--reason", "cessation_of_operation", "--home", plant.home)
    assert "revoked" in quoin(*anna, check=False).stderr
    # Before it was ever used, too: quoind has not seen it yet.
    quoin("pki", "operator", "carl", "--role", "operator", "--home", plant.home)
    quoin("pki", "revoke-operator", "carl", "--reason", "key_compromise", "--home", plant.home)
    carl = ("status", "--url", url, "--home", plant.home, "--certificate", plant.home / "operator/carl.crt")
    assert "revoked" in quoin(*carl, check=False).stderr
    plant.wait_event("pki.certificate.revoked", kind="operator", reason="cessation_of_operation")


@background.scenario
def test_broker_certificate_revoked__agents_and_services_leave_and_refuse_it():
    with running_plant(SHORT) as plant:
        devices = [plant.add_device("mpu-1"), plant.add_device("mcu-1", "mcu")]
        for device in devices:
            device.wait_stored(10)
        quoin("pki", "revoke-service", "broker", "--reason", "key_compromise", "--home", plant.home)
        for device in devices:
            waiting.until(lambda device=device: "of broker is revoked (keyCompromise)" in device.log.read_text(),
                          f"{device.name} finds out")
            waiting.until(lambda device=device: "refused broker=" in device.log.read_text(), f"{device.name} refuses")
        plant.wait_log("quoind", "the broker's certificate: ")
        stored = {device.name: plant.newest(device.name) for device in devices}
        late = plant.add_device("mcu-2", "mcu")
        waiting.until(lambda: "of broker is revoked" in late.log.read_text(), "a new device refuses it, too")
        assert {device.name: plant.newest(device.name) for device in devices} == stored
        # The way out: new certificates for the services, which those that run take without a stop.
        quoin("pki", "renew-services", "--home", plant.home)
        for device in devices:
            device.wait_stored(stored[device.name] + 10, timeout_s=60)


@background.scenario
def test_partition__longer_than_the_lifetime__sessions_end_and_nothing_is_lost():
    """quoind is stopped (SIGSTOP): nobody can say whether the broker's certificate is good, so nobody stays there."""
    with running_plant(SELDOM + "[pki]\nocsp_lifetime_s = 8\n[feed]\nlifetime_s = 300\n") as plant:
        device = plant.add_device("mpu-1", rate=20, rows=1200)
        device.wait_stored(40)
        plant.kill("quoind", signal.SIGSTOP)
        try:
            waiting.until(lambda: "older than its lifetime" in device.log.read_text(),
                          "the agent leaves a broker of unknown status", timeout_s=60)
            size = device.log.stat().st_size
            waiting.until(lambda: "its status is not known" in device.log.read_text()[size:],
                          "and does not come back to it", timeout_s=60)
            assert "\nconnected" not in device.log.read_text()[size:]
            assert "see that quoind runs and is reached" in device.log.read_text()
            size = device.log.stat().st_size
            waiting.elapse(10)  # many tries
            troubles = [line for line in device.log.read_text()[size:].splitlines() if "status" in line]
            assert len(troubles) == len(set(line.partition("error=")[2] for line in troubles)), troubles
        finally:
            plant.kill("quoind", signal.SIGCONT)
        device.wait_stored(1200, timeout_s=150)
        assert [one["values"]["number"] for one in plant.samples("mpu-1")] == list(range(1200))
