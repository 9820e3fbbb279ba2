"""A plant in use gets a new issuing CA: nothing stops, and certificates of both hold until they end."""

import subprocess

from lib import background, mosquitto, waiting
from lib.plant import quoin, running_plant
from test_migration import asks_as, keep_identity


def issuer_of(file):
    return subprocess.run(["openssl", "x509", "-in", file, "-noout", "-issuer"], capture_output=True, text=True,
                          check=True).stdout.strip().rpartition("CN")[2].strip(" =")


def ocsp(plant, issuing, certificate):
    done = subprocess.run(
        ["openssl", "ocsp", "-issuer", issuing, "-CAfile", plant.home / "pki/root.crt", "-url",
         f"http://127.0.0.1:{plant.ports['http']}/ocsp", "-cert", certificate], capture_output=True, text=True, timeout=30)
    assert "Response verify OK" in done.stderr, done
    return done.stdout.splitlines()[0].rpartition(": ")[2]


def fetch(plant, path, file):
    subprocess.run(["curl", "--silent", "--fail", "--output", file, f"http://127.0.0.1:{plant.ports['http']}{path}"], check=True)
    return file


def lists_revoked(plant, issuing):
    """By the CRL of this issuing CA, as its certificates name it, and in the file of all of them."""
    crl = fetch(plant, f"/issuing-{serial_of(issuing)}.crl", plant.folder / "one.crl")
    text = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", crl, "-noout", "-text", "-CAfile", issuing],
                          capture_output=True, text=True)
    assert "verify OK" in text.stdout + text.stderr, text
    pem = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", crl], capture_output=True, text=True).stdout
    assert pem in fetch(plant, "/crl.pem", plant.folder / "all.pem").read_text()
    return [line.rpartition(":")[2].strip().lower() for line in text.stdout.splitlines() if "Serial Number:" in line]


def serial_of(certificate):
    return subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-serial"], capture_output=True, text=True,
                          check=True).stdout.strip().rpartition("=")[2].lower()


def has_session(plant, device):
    opened = [one["id"] for one in plant.events() if one["subject"] == device and one["id"].startswith("broker.session.")]
    return opened[-1] == "broker.session.opened"


@background.scenario
def test_rotation__under_load__nothing_stops_and_both_issuing_cas_are_answered_for():
    with running_plant() as plant:
        renewing = [plant.add_device(name, name[:3], rate=20, top="look_s = 1\n") for name in ("mpu-1", "mcu-1")]
        staying = plant.add_device("mcu-2", "mcu", rate=20)
        lost = plant.add_device("mcu-3", "mcu", rate=20)
        devices = [*renewing, staying]
        for device in [*devices, lost]:
            device.wait_stored(10)
        lost.stop()
        kept = {device.name: keep_identity(plant, device) for device in [*devices, lost]}
        root = plant.home / "pki/root.crt"
        quoin("device", "revoke", "mcu-3", "--reason", "key_compromise", "--home", plant.home)
        processes = {name: plant.pid(name) for name in ("broker", "quoind")}
        old = serial_of(plant.home / "pki/issuing.crt")
        before = plant.last_event()

        quoin("pki", "rotate-issuing", "--now", "--home", plant.home, "--root-passphrase-file", plant.folder / "root-passphrase")
        plant.wait_event("pki.issuing.rotated", after=before, earlier=old)
        plant.wait_event("pki.services.replaced", after=before)
        for device in renewing:
            waiting.until(lambda: issuer_of(device.identity / "device.crt") == "e2e issuing 2", f"{device.name} renews", 30)
        plant.wait_event("verifier.evidence.trusted", "mpu-1", plant.last_event())
        for device in devices:
            device.wait_stored(plant.newest(device.name) + 20)
        assert processes == {name: plant.pid(name) for name in ("broker", "quoind")}
        assert issuer_of(staying.identity / "device.crt") == "e2e issuing"
        closed = [one["subject"] for one in plant.events(before) if one["id"] == "broker.session.closed"]
        assert "mcu-2" not in closed, closed

        # Certificates of the old one: those that are good still are, those that were revoked still are not.
        earlier = plant.home / "pki/earlier" / old / "issuing.crt"
        present = plant.home / "pki/issuing.crt"
        assert asks_as(plant, kept["mcu-1"], root)["renew"] is True
        assert asks_as(plant, kept["mcu-3"], root) is None
        assert mosquitto.publish(plant, lost, "quoin/e2e/mcu-3/event", "{}", cafile=root, certificate=kept["mcu-3"] / "device.crt",
                                 key=kept["mcu-3"] / "clear.key").returncode != 0
        assert ocsp(plant, earlier, kept["mcu-1"] / "device.crt") == "good"
        assert ocsp(plant, earlier, kept["mcu-3"] / "device.crt") == "revoked"
        assert ocsp(plant, present, renewing[1].identity / "device.crt") == "good"
        assert ocsp(plant, present, plant.home / "services/broker.crt") == "good"
        assert lists_revoked(plant, earlier) == [serial_of(kept["mcu-3"] / "device.crt")]
        assert lists_revoked(plant, present) == []
        issuing = fetch(plant, f"/issuing-{old}.crt", plant.folder / "earlier.der")
        assert subprocess.run(["openssl", "x509", "-inform", "DER", "-in", issuing], capture_output=True,
                              text=True).stdout == earlier.read_text()

        # A revocation now is stated by the new one; of a certificate of the old one.
        quoin("device", "revoke", "mcu-2", "--reason", "key_compromise", "--home", plant.home)
        waiting.until(lambda: not has_session(plant, "mcu-2"), "its session is closed", 10)
        waiting.until(lambda: ocsp(plant, earlier, kept["mcu-2"] / "device.crt") == "revoked", "OCSP says so", 5)
        for device in renewing:
            device.wait_stored(plant.newest(device.name) + 20)
        for device in devices:
            device.kill()
            samples = plant.samples(device.name)
            assert [sample["seq"] for sample in samples] == list(range(1, len(samples) + 1))
            assert [sample["values"]["number"] for sample in samples] == list(range(len(samples)))
        plant.down()
        verified = quoin("audit", "verify", "--home", plant.home, check=False)
        assert verified.returncode == 0, verified.stdout + verified.stderr
