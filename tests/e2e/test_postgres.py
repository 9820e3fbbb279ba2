"""The basic path with PostgreSQL."""

from lib import background
from lib.plant import quoin, running_plant
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
