"""The same path through a bad network: latency, jitter, loss, stalls and cut connections."""

import contextlib

from lib import background
from lib.network import Proxy, free_ports
from lib.plant import OVERLAY, quoin, running_plant
from lib.seeds import seeded

BAD = ("--latency-ms", 40, "--jitter-ms", 30, "--loss", 0.02, "--loss-stall-ms", 250, "--stall", 0.003, "--stall-ms", 1500,
       "--reset", 0.0004)
PATIENT = OVERLAY.replace("timeout_s = 4", "timeout_s = 15").replace("lifetime_s = 20", "lifetime_s = 60")


@background.scenario
def test_network__bad__nothing_lost_and_isolation_still_works():
    """The plant's own services reach the broker through a bad proxy as well."""
    mqtt, told = free_ports(2)
    with contextlib.ExitStack() as stack:
        random = stack.enter_context(seeded("network"))
        stack.callback(Proxy(mqtt, *BAD, "--seed", random.randrange(1 << 31), listen=told).close)
        plant = stack.enter_context(
            running_plant(PATIENT + f"[broker]\nport = {told}\n", up=("--broker-listen", mqtt)))
        https = Proxy(plant.ports["https"], *BAD, "--seed", random.randrange(1 << 31))
        stack.callback(https.close)
        device = plant.add_device("mpu-1", rate=50, rows=1500, https_port=https.port)
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
