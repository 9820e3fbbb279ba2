"""Profile "production": no software key is made or used. Fallbacks: only as configured, and seen."""

import json
import pathlib
import shutil
import tempfile

from lib import account, waiting
from lib.plant import OVERLAY, quoin, running_plant

PRODUCTION = 'profile = "production"\n'
REFERENCE = "-----BEGIN QUOIN KEY REFERENCE-----"


def shown(plant, device):
    """What `device show` says of the device's keys."""
    return json.loads(quoin("device", "show", device, "--json", "--home", plant.home).stdout)["key_residence_claimed"]


def doctor(plant):
    """What `doctor` says of the plant's keys."""
    done = json.loads(quoin("doctor", "--json", "--home", plant.home, check=False).stdout)
    return [(one["result"], one["detail"]) for one in done["findings"] if one["thing"] == "keys"]


def audit_key(plant):
    return json.loads(quoin("audit", "verify", "--json", "--home", plant.home).stdout)["key_residence"]


def refused(device, file):
    """Whether the agent ends because of a software key."""
    device.start()
    assert device.process.wait(20) != 0
    last = device.log.read_text().splitlines()[-1]
    return file in last and "software key" in last and "danger_software_keys" in last


def test_production__software_key_in_place_of_a_reference__programs_do_not_start(element):
    with running_plant(init=("--key-store", element.uri, "--production")) as plant:
        keys = f'[keys]\nstore = "{element.uri}"\n'
        device = plant.add_device("mpu-1", top=PRODUCTION, extra=keys, key_store=element.uri)
        device.wait_stored(5)
        assert shown(plant, "mpu-1") == {"device": "separate process", "attest": "separate process"}
        [(health, keys_are)] = doctor(plant)
        assert health == "PASS" and f"services/verifier.key: in {element.uri}, separate process" in keys_are
        assert audit_key(plant) == "separate process"
        device.stop()

        # A device that was born with a key in a file.
        other = plant.add_device("mcu-2", "mcu", top=PRODUCTION, extra=keys, start=False)
        assert refused(other, "birth.key")
        # A key in a file, that somebody put where the reference was.
        software = (other.folder / "birth.key").read_bytes()
        account.write(device.folder / "unlock.key", (other.folder / "unlock.key").read_bytes())
        for key in ("attest.key", "device.key"):
            reference = (device.identity / key).read_bytes()
            account.write(device.identity / key, software)
            assert refused(device, key)
            account.write(device.identity / key, reference)

        # The plant: one service after the other.
        plant.down()
        unlock = (plant.home / "unlock.key").read_bytes()
        account.write(plant.home / "unlock.key", (other.folder / "unlock.key").read_bytes())
        for key in ("services/broker.key", "services/audit.key", "services/telemetry.key", "pki/issuing.key"):
            reference = (plant.home / key).read_bytes()
            account.write(plant.home / key, software)
            up = quoin("up", "--home", plant.home, "--ports", "free", check=False)
            assert up.returncode != 0 and f"{key}: a software key" in up.stdout + up.stderr, (key, up)
            account.write(plant.home / key, reference)
        account.write(plant.home / "unlock.key", unlock)
        # And none is made.
        made = quoin("pki", "init", "--home", plant.folder / "second", "--site", "s", "--production",
                     "--root-passphrase-file", plant.folder / "root-passphrase", check=False)
        assert made.returncode != 0 and "danger_software_keys" in made.stderr
        plant.start()


def test_fallback__store_away__software_key_said_and_left_again(element):
    with running_plant(OVERLAY + "[pki]\ndevice_lifetime_s = 20\nrenew_at = 0.5\n") as plant:
        device = plant.add_device("mcu-1", "mcu", rate=20,
                                  extra=f'[keys]\nstore = "{element.uri}"\nfallbacks = ["software"]\n')
        device.wait_stored(1)
        assert (device.identity / "device.key").read_text().startswith(REFERENCE)
        assert shown(plant, "mcu-1") == {"device": "separate process"}
        [(health, keys_are)] = doctor(plant)
        assert health == "WARN" and "services/audit.key" in keys_are and "best effort" in keys_are
        assert audit_key(plant) == "best effort"
        first = element.keys()
        device.stop()
        element.stop()
        device.start()
        stored = plant.newest("mcu-1")
        device.wait_stored(stored + 20)
        assert (device.identity / "device.key").read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        assert shown(plant, "mcu-1") == {"device": "best effort"}
        log = device.log.read_text()
        assert f"key_fallback from={element.uri} to=software" in log and "old_keys_stay" in log
        # Back at the next renewal, and the key that was left is gone.
        element.start()
        assert element.keys() == first
        waiting.until(lambda: (device.identity / "device.key").read_text().startswith(REFERENCE), "back in quoin-se", 40)
        waiting.until(lambda: len(element.keys()) == 1 and element.keys() != first, "the old key is removed", 10)
        samples = plant.samples("mcu-1")
        assert [one["values"]["number"] for one in samples] == list(range(len(samples)))


def test_fallback__of_a_plant__said_by_quoind_and_doctor(element):
    init = ("--key-store", element.uri, "--key-fallback", "software")
    element.stop()
    with running_plant(init=init) as plant:
        [(health, keys_are)] = doctor(plant)
        assert health == "WARN" and "pki/issuing.key, services/audit.key" in keys_are and "FALLBACK" in keys_are
        plant.wait_log("quoind", f"key_fallback file={plant.home}/services/audit.key in=software configured={element.uri}")
        # When the store is there again, a renewal brings the keys to it.
        element.start()
        quoin("pki", "renew-services", "--home", plant.home)
        assert len(element.keys()) == 7
        assert (plant.home / "services/audit.key").read_text().startswith(REFERENCE)
        plant.down()
        plant.start()
        assert sorted(health for health, _ in doctor(plant)) == ["PASS", "WARN"]  # the issuing CA's stays
        [advice] = [detail for health, detail in doctor(plant) if health == "WARN"]
        assert "pki/issuing.key" in advice and "a new PKI" in advice and "renew-services" not in advice


def test_leftovers__of_what_failed__removed_and_nobody_elses(element):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)  # the plant's user walks through it
        passphrase = folder / "root-passphrase"
        passphrase.touch(mode=0o600)
        passphrase.write_text("correct horse battery staple\n")
        for home in ("a", "b"):
            account.make_folder(folder / home)

        def init(home, *more, check=True):
            return quoin("pki", "init", "--home", folder / home, "--site", "s", "--suite", "pure", "--root-passphrase-file",
                         passphrase, "--key-store", element.uri, *more, check=check)

        init("a")
        first = element.keys()
        assert len(first) == 8
        # Noticed when there are keys already.
        assert init("b", "--name", "a b", check=False).returncode != 0
        assert element.keys() == first
        # Two plants of one site name.
        init("b")
        second = element.keys() - first
        assert len(second) == 8
        for _ in range(2):
            quoin("pki", "renew-services", "--home", folder / "b")
        assert first < element.keys() and len(element.keys()) == 8 + 8 + 7
        # What a crash of an init leaves: its root tells which keys were its own.
        account.make_folder(folder / "b/.pki-init-abcdef")
        (folder / "b/pki").rename(folder / "b/.pki-init-abcdef/pki")
        init("b")
        assert first < element.keys() and len(element.keys()) == 16
        assert not list((folder / "b").glob(".pki-init-*"))

        # A birth that was not recorded; and another manufacturer's device of that id.
        def birth(maker):
            quoin("birth", "--maker", folder / maker, "--class", "mpu", "--key-store", element.uri, "mpu-1")

        for maker in ("m", "n"):
            birth(maker)
        before = element.keys()
        assert len(before) == 18
        shutil.rmtree(folder / "m/devices/mpu-1")
        (folder / "m/batch.jsonl").unlink()
        birth("m")
        assert len(element.keys()) == 18 and len(element.keys() & before) == 17
