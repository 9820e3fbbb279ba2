"""A plant in use migrates to a stronger suite: nothing stops, nothing is lost, nothing old stays."""

import json
import shutil
import subprocess

from lib import account, background, mosquitto, waiting
from lib.plant import quoin, running_plant

DEVICES = {"mpu-1": "mpu", "mpu-2": "mpu", "mcu-1": "mcu", "mcu-2": "mcu"}


def secret(plant, name, text):
    path = plant.folder / name
    path.touch(mode=0o600)
    path.write_text(text + "\n")
    return path


def begin(plant, suite):
    return quoin("pki", "migrate", "begin", "--to", suite, "--home", plant.home, "--root-passphrase-file",
                 plant.folder / "root-passphrase", "--new-root-passphrase-file",
                 secret(plant, "next-passphrase", "the new root's passphrase"))


def status(plant):
    return json.loads(quoin("pki", "migrate", "status", "--home", plant.home, "--json").stdout)


def suite_of(device):
    """What the device has moved to, by its own disk."""
    file = device.identity / "suite"
    return file.read_text().strip() if file.exists() else None


def keep_identity(plant, device, name="old"):
    """What a thief of the present identity would have: certificate, key in clear, the root of then."""
    folder = plant.folder / f"{name}-{device.name}"
    shutil.copytree(device.identity.resolve(), folder)
    shutil.copy(plant.home / "pki/root.crt", folder / "root.crt")
    shutil.copy(device.clear_key(), folder / "clear.key")
    return folder


def asks_as(plant, identity, root, chain="device.crt"):
    """What the plant answers to an identity; None: nothing, or not to this one."""
    done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "20", "--curves", "X25519:X25519MLKEM768:MLKEM768",
                           "--cacert", root, "--cert", identity / chain, "--key", identity / "clear.key",
                           f"https://127.0.0.1:{plant.ports['https']}/.well-known/quoin/device"],
                          capture_output=True, text=True, timeout=30)
    return json.loads(done.stdout) if done.returncode == 0 and done.stdout.startswith("{") else None


def with_former_root(plant, identity):
    """The chain of an old identity, longer by what the new root says of the old one."""
    former = next((plant.home / "pki/former").iterdir()).read_text()
    statement = former[former.rindex("-----BEGIN CERTIFICATE-----"):]
    (identity / "longer.crt").write_text((identity / "device.crt").read_text() + statement)
    return "longer.crt"


def longest_gap_ms(samples):
    stored = sorted(sample["stored_ms"] for sample in samples)
    return max(later - earlier for earlier, later in zip(stored, stored[1:]))


def migrates_under_load(suite, to):
    with running_plant(suite=suite, profile="classical" if suite == "classical" else None) as plant:
        devices = [plant.add_device(name, kind, rate=20, top="look_s = 1\n") for name, kind in DEVICES.items()]
        lost = plant.add_device("mcu-3", "mcu", top="look_s = 1\n")
        for device in devices:
            device.wait_stored(20)
        lost.wait_stored(5)
        old = keep_identity(plant, devices[0])
        old_root = plant.home / "pki/root.crt"

        refused = quoin("pki", "migrate", "finish", "--home", plant.home, check=False)
        assert refused.returncode == 1, "there is nothing to finish"
        begun = plant.last_event()
        begin(plant, to)
        waiting.until(lambda: status(plant).get("moved") == len(devices) + 1, f"all devices have moved to {to}", 60)
        assert status(plant)["behind"] == 0
        assert [suite_of(device) for device in devices] == [to] * len(devices)
        refused = quoin("pki", "migrate", "abort", "--home", plant.home, check=False)
        assert refused.returncode == 1 and "none goes back" in refused.stderr
        for device in devices:  # in the new session, with the new certificate
            if device.device_class == "mpu":
                moved = plant.wait_event("pki.certificate.renewed", device.name, begun, kind="attest")
                plant.wait_event("verifier.evidence.trusted", device.name, moved["number"])
            device.wait_stored(plant.newest(device.name) + 20)
        # One that ends meanwhile: stated by the issuing CA of then, and so for good.
        lost.stop()
        thief = keep_identity(plant, lost)
        quoin("device", "revoke", "mcu-3", "--reason", "key_compromise", "--home", plant.home)
        plant.wait_log("broker", "revocation 1: ")
        # Both suites are served: the old identity still counts, until the end.
        answer = asks_as(plant, old, old_root)
        assert answer and (answer["suite"], answer["next"]) == (suite, to), answer

        finished = plant.last_event()
        shutil.copy(old_root, old / "root.crt")
        quoin("pki", "migrate", "finish", "--home", plant.home)
        plant.suite = to
        waiting.until(lambda: plant.rest.get("status")["suite"] == to, f"quoind is of suite {to}", 30)
        waiting.until(lambda: plant.rest.get("status")["broker_connected"], "the broker is back", 30)
        plant.mqtt_port = plant.ports["mqtt"]
        for device in devices:
            device.wait_stored(plant.newest(device.name) + 20)
            if device.device_class == "mpu":
                plant.wait_event("verifier.evidence.trusted", device.name, finished)
        new_root = plant.home / "pki/root.crt"
        assert asks_as(plant, keep_identity(plant, devices[0], "new"), new_root), "the new identity is not"
        assert asks_as(plant, old, new_root, with_former_root(plant, old)) is None, "the old root leads nowhere"
        for root in (old / "root.crt", new_root):
            assert asks_as(plant, old, root) is None, "the old identity is refused"
            assert mosquitto.publish(plant, devices[0], f"quoin/e2e/{devices[0].name}/event", "{}", cafile=root,
                                     certificate=old / "device.crt", key=old / "clear.key").returncode != 0
        assert plant.state("mcu-3") == "revoked"
        assert mosquitto.publish(plant, lost, "quoin/e2e/mcu-3/event", "{}", certificate=thief / "device.crt",
                                 key=thief / "clear.key").returncode != 0
        plant.wait_event("broker.session.refused", "mcu-3", finished)
        # Again from its disk: the device knows where it belongs.
        devices[0].stop()
        devices[0].start()
        devices[0].wait_stored(plant.newest(devices[0].name) + 20)

        # The new issuing CA's word counts.
        quoin("device", "revoke", "mcu-2", "--reason", "key_compromise", "--home", plant.home)
        plant.wait_event("broker.session.isolated", "mcu-2", finished)
        gaps = []
        for device in devices:
            device.stop()
            samples = plant.samples(device.name)
            assert [sample["seq"] for sample in samples] == list(range(1, len(samples) + 1))
            assert [sample["values"]["number"] for sample in samples] == list(range(len(samples)))
            gaps.append(longest_gap_ms(samples))
        print(f"{suite} to {to}: {len(devices)} devices; nothing of a device was stored for at most "
              f"{max(gaps)} ms (each: {gaps})")
        plant.down()  # signs what is there
        verified = quoin("audit", "verify", "--home", plant.home, check=False)
        assert verified.returncode == 0, verified.stdout + verified.stderr


@background.scenario
def test_migration__classical_to_hybrid_under_load__every_device_moves_and_nothing_is_lost():
    migrates_under_load("classical", "hybrid")


@background.scenario
def test_migration__hybrid_to_pure_under_load__every_device_moves_and_nothing_is_lost():
    migrates_under_load("hybrid", "pure")


@background.scenario
def test_migration__device_off__finish_refused_and_abort_only_before_the_first_move():
    with running_plant() as plant:
        device = plant.add_device("mcu-1", "mcu", top="look_s = 1\n")
        away = plant.add_device("mcu-2", "mcu", top="look_s = 1\n")
        away.wait_stored(5)
        away.stop()
        device.wait_stored(5)
        device.stop()
        begin(plant, "pure")
        waiting.until(lambda: status(plant)["to"] == "pure", "quoind serves both", 20)
        quoin("pki", "migrate", "abort", "--home", plant.home)
        waiting.until(lambda: status(plant)["to"] is None, "quoind serves one", 20)
        device.start()
        device.wait_stored(plant.newest("mcu-1") + 10)
        assert suite_of(device) is None

        begin(plant, "pure")
        waiting.until(lambda: status(plant).get("moved") == 1, "the device moves", 30)
        assert status(plant)["behind_devices"] == ["mcu-2"]
        refused = quoin("pki", "migrate", "finish", "--home", plant.home, check=False)
        assert refused.returncode == 1 and "have not moved" in refused.stderr
        quoin("pki", "migrate", "finish", "--leave-behind", "--home", plant.home)
        waiting.until(lambda: plant.rest.get("status")["suite"] == "pure", "quoind is of suite pure", 30)
        device.wait_stored(plant.newest("mcu-1") + 10)
        # What was left behind has no way in: it is set up anew, by people.
        away.start()
        waiting.until(lambda: " disconnected " in away.log.read_text(), "the device does not get in", 30)
        away.stop()
        away.folder.joinpath("agent.toml").write_text(
            away.folder.joinpath("agent.toml").read_text().replace('suite = "hybrid"', 'suite = "pure"'))
        shutil.rmtree(away.folder / "identity")
        account.write(away.folder / "trust.crt", (plant.home / "pki/root.crt").read_bytes())
        before = plant.newest("mcu-2")
        away.start()
        away.wait_stored(before + 10)
