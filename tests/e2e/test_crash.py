"""kill -9 at random moments of a stream of numbered samples: nothing is lost, nothing is there twice."""

import signal

from lib import background, network, waiting
from lib.plant import SELDOM, quoin, running_plant
from lib.seeds import seeded
from lib.suspects import check_suspects

KILLS = 20
RATE = 100  # samples a second
ROWS = 6000  # a minute of them


def stream_survives(name, kill, faults=()):
    """Runs a plant and a device, calls kill(plant, device) at 20 random moments, and compares with the source."""
    with seeded(name) as moments, running_plant(SELDOM, faults=faults) as plant:
        device = plant.add_device("mpu-1", rows=ROWS, rate=RATE)
        device.wait_stored(1)
        for _ in range(KILLS):
            waiting.elapse(moments.uniform(0.3, 2.5))
            kill(plant, device)
        # The stream was not at its end yet: every kill hit it.
        waiting.until(lambda: plant.state("mpu-1"), "quoind answers again")
        assert plant.newest("mpu-1") < ROWS
        device.wait_stored(ROWS, timeout_s=180)
        samples = plant.samples("mpu-1")
        assert [one["seq"] for one in samples] == list(range(1, ROWS + 1))
        assert [one["values"]["number"] for one in samples] == list(range(ROWS))
        print(f"{name}: {KILLS} kills, {ROWS} samples, none lost, none twice")


def kill_quoind(plant, _):
    plant.kill("quoind")


def kill_broker(plant, _):
    plant.kill("broker")


def kill_agent(_, device):
    device.kill()
    device.start()


@background.scenario
def test_crash__quoind_killed_20_times__nothing_lost_nothing_twice():
    stream_survives("quoind", kill_quoind)


@background.scenario
def test_crash__broker_killed_20_times__nothing_lost_nothing_twice():
    stream_survives("broker", kill_broker)


@background.scenario
def test_crash__agent_killed_20_times__nothing_lost_nothing_twice():
    stream_survives("agent", kill_agent)


@background.scenario
def test_crash__quoind_killed_20_times_bad_network__nothing_lost_nothing_twice():
    stream_survives("quoind, bad network", kill_quoind, network.WORSE)


@background.scenario
def test_crash__broker_killed_20_times_bad_network__nothing_lost_nothing_twice():
    stream_survives("broker, bad network", kill_broker, network.WORSE)


@background.scenario
def test_crash__agent_killed_20_times_bad_network__nothing_lost_nothing_twice():
    stream_survives("agent, bad network", kill_agent, network.WORSE)


@background.scenario
def test_crash__quoind_killed_around_a_verdict__isolated_all_the_same():
    with seeded("verdict") as moments, running_plant() as plant:
        device = plant.add_device("mpu-1", rate=50)
        for _ in range(6):
            plant.wait_state("mpu-1", "active", timeout_s=60)
            device.wait_stored(plant.newest("mpu-1") + 20)
            after = plant.last_event()
            device.alter_program()
            waiting.elapse(moments.uniform(0.0, 1.6))  # challenges come each second
            plant.kill("quoind")
            plant.wait_state("mpu-1", "quarantined", timeout_s=60)
            plant.wait_event("broker.session.refused", "mpu-1", after, timeout_s=60)
            device.alter_program()
            quoin("device", "release", "mpu-1", "--home", plant.home)
        plant.wait_state("mpu-1", "active", timeout_s=60)
        device.wait_stored(plant.newest("mpu-1") + 20)
        check_suspects(plant, "mpu-1")


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
