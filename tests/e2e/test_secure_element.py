"""With quoin-se: session, service and CA keys are in no other process, and all goes on as without."""

from lib import account, waiting
from lib.plant import OVERLAY, running_plant

REFERENCE = "-----BEGIN QUOIN KEY REFERENCE-----"


def use(element):
    return f'[keys]\nstore = "{element.uri}"\n'


def test_secure_element__session_key_in_quoin_se__renewed_lost_and_found(element):
    with running_plant(OVERLAY + "[pki]\ndevice_lifetime_s = 20\nrenew_at = 0.5\n") as plant:
        device = plant.add_device("mpu-1", rows=100_000, rate=20, extra=use(element))
        device.wait_stored(1)
        assert (device.identity / "device.key").read_text().startswith(REFERENCE)
        first = element.keys()
        assert len(first) == 2  # session and attestation
        # A renewal that fails at its last step leaves the keys that the session has.
        (device.folder / "plant.json").unlink()
        account.make_folder(device.folder / "plant.json")
        waiting.until(lambda: "renew_failed" in device.log.read_text(), "a renewal fails", 20)
        assert first <= element.keys()
        (device.folder / "plant.json").rmdir()
        waiting.until(lambda: len(element.keys()) == 2 and element.keys().isdisjoint(first), "a renewal replaces the keys", 40)
        # Without its quoin-se the device has no identity, and says where it looked for it.
        device.stop()
        element.stop()
        said = len(device.log.read_text())
        device.start()
        waiting.until(lambda: str(element.socket) in device.log.read_text()[said:], "the agent names the socket", 20)
        device.stop()
        stored = plant.newest("mpu-1")
        element.start()
        device.start()
        device.wait_stored(stored + 20)
        samples = plant.samples("mpu-1")
        assert [one["values"]["number"] for one in samples] == list(range(len(samples)))


def test_secure_element__keys_of_ca_and_services_in_quoin_se__plant_works(element):
    with running_plant(init=("--key-store", element.uri)) as plant:
        for file in ("pki/issuing.key", "services/broker.key", "services/quoind.key", "services/telemetry.key",
                     "services/verifier.key", "services/audit.key"):
            assert (plant.home / file).read_text().startswith(REFERENCE), file
        assert len(element.keys()) == 8
        device = plant.add_device("mpu-1", extra=use(element))
        device.wait_stored(10)
        assert plant.state("mpu-1") == "active"
        # Broker, quoind and the device ask quoin-se anew when it was away.
        element.stop()
        element.start()
        device.stop()
        device.start()
        device.wait_stored(plant.newest("mpu-1") + 10)
        # All have signed by now. Their keys are in the memory of quoin-se, where the search finds them, and in no other.
        others = {**plant.pids(), device.process.pid: "quoin-agent"}
        assert {"broker", "quoind", "quoin-agent"} <= {command.split()[0].rpartition("/")[2] for command in others.values()}
        found = element.parts_in_memory([*others, element.process.pid])
        assert found.pop(element.process.pid) >= 2 * 7
        assert found == dict.fromkeys(others, 0), others
