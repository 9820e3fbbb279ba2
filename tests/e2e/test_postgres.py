"""The basic path with PostgreSQL."""

from lib import background, mosquitto, waiting
from lib.plant import OVERLAY, quoin, running_plant
from lib.postgres import Postgres


@background.scenario
def test_postgres__basic_path__stored_isolated_released():
    with Postgres() as server, running_plant(up=("--database", server.url)) as plant:
        device = plant.add_device("mpu-1", rate=50)
        device.wait_stored(100)
        plant.wait_state("mpu-1", "active")
        after = plant.last_event()
        device.alter_program()
        plant.wait_event("broker.session.isolated", "mpu-1", after)
        device.alter_program()
        quoin("device", "release", "mpu-1", "--home", plant.home)
        plant.wait_state("mpu-1", "active")
        stored = plant.newest("mpu-1")
        device.wait_stored(stored + 50)
        samples = plant.samples("mpu-1")
        assert [one["values"]["number"] for one in samples] == list(range(len(samples)))
        assert not (plant.home / "db/quoin.sqlite").exists()


@background.scenario
def test_postgres__away__no_device_is_let_in_by_what_may_have_run_out():
    with Postgres() as server, running_plant(OVERLAY + "[feed]\nlifetime_s = 3\n", up=("--database", server.url)) as plant:
        device = plant.add_device("mcu-1", "mcu", rate=20)
        device.wait_stored(20)
        other = plant.add_device("mcu-2", "mcu")
        other.wait_stored(1)
        other.stop()
        key = other.clear_key()

        def may():
            return mosquitto.publish(plant, other, "quoin/e2e/mcu-2/event", '{"event":"hello"}', key=key).returncode == 0
        assert may()
        server.stop()
        waiting.until(lambda: not may(), "the broker refuses by knowledge that may have run out", 40, 0.5)
        server.start()
        waiting.until(may, "it works again", 60, 0.5)
        stored = plant.newest("mcu-1")
        device.wait_stored(stored + 20)
        samples = plant.samples("mcu-1")
        assert [one["values"]["number"] for one in samples] == list(range(len(samples)))
