"""A network that also cuts connections. (Other tests run through latency, loss and stalls: the marker any_network.)"""

from lib import background, network
from lib.plant import SELDOM, quoin, running_plant


@background.scenario
def test_network__cuts__nothing_lost_and_isolation_still_works():
    """The plant's own services reach the broker through a bad proxy as well."""
    with running_plant(SELDOM, faults=network.WORSE) as plant:
        device = plant.add_device("mpu-1", rate=50, rows=1500)
        device.wait_stored(1500, timeout_s=150)
        samples = plant.samples("mpu-1")
        assert [one["values"]["number"] for one in samples] == list(range(1500))
        plant.wait_event("verifier.evidence.trusted", "mpu-1")
        after = plant.last_event()
        device.alter_program()
        plant.wait_event("verifier.evidence.untrusted", "mpu-1", after, timeout_s=60)
        # Its session may have been cut by the network just then: what counts is that it is out.
        plant.wait_event("broker.session.refused", "mpu-1", after, timeout_s=60)
        device.alter_program()
        quoin("device", "release", "mpu-1", "--home", plant.home)
        plant.wait_state("mpu-1", "active", timeout_s=90)
