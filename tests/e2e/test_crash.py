"""kill -9 at random moments of a stream of numbered samples: nothing is lost, nothing is there twice."""

import signal

from lib import background, waiting
from lib.plant import running_plant
from lib.seeds import seeded

KILLS = 20
RATE = 100  # samples a second
ROWS = 6000  # a minute of them


def stream_survives(name, kill):
    """Runs a plant and a device, calls kill(plant, device) at 20 random moments, and compares with the source."""
    with seeded(name) as moments, running_plant() as plant:
        device = plant.add_device("mpu-1", rows=ROWS, rate=RATE)
        device.wait_stored(1)
        for _ in range(KILLS):
            waiting.elapse(moments.uniform(0.3, 3.4))
            kill(plant, device)
        device.wait_stored(ROWS, timeout_s=120)
        samples = plant.samples("mpu-1")
        assert [one["seq"] for one in samples] == list(range(1, ROWS + 1))
        assert [one["values"]["number"] for one in samples] == list(range(ROWS))
        print(f"{name}: {KILLS} kills, {ROWS} samples, none lost, none twice")


@background.scenario
def test_crash__quoind_killed_20_times__nothing_lost_nothing_twice():
    stream_survives("quoind", lambda plant, _: plant.kill("quoind"))


@background.scenario
def test_crash__broker_killed_20_times__nothing_lost_nothing_twice():
    stream_survives("broker", lambda plant, _: plant.kill("broker"))


@background.scenario
def test_crash__agent_killed_20_times__nothing_lost_nothing_twice():
    def kill(_, device):
        device.kill()
        device.start()
    stream_survives("agent", kill)


@background.scenario
def test_crash__broker_away_60_s__queue_drains_in_order():
    with running_plant() as plant:
        device = plant.add_device("mpu-1", rows=3000, rate=50)
        device.wait_stored(50)
        # The supervisor restarts what dies: to keep the broker away, it is stopped, as a hung one would be.
        plant.kill("broker", signal.SIGSTOP)
        stored = plant.newest("mpu-1")
        waiting.elapse(60)
        assert plant.newest("mpu-1") - stored < 1200  # what was on its way
        plant.kill("broker", signal.SIGKILL)
        device.wait_stored(3000, timeout_s=60)
        samples = plant.samples("mpu-1")
        assert [one["values"]["number"] for one in samples] == list(range(3000))
        # In order: nothing was stored before what goes before it.
        stored_ms = [one["stored_ms"] for one in samples]
        assert stored_ms == sorted(stored_ms)


def test_crash__supervised_process_dies__is_started_again_and_said(plant):
    for name in ("quoind", "broker"):
        first = plant.kill(name)
        waiting.until(lambda: plant.pid(name) not in (None, first), f"{name} runs again")
    assert "starting it again" in (plant.home / "log/up.log").read_text()
