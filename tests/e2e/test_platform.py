"""Attestation keys in quoin-se, bound to a TPM (swtpm): evidence holds its quote, and other boot measurements give none."""

import pytest

from lib import waiting
from lib.plant import quoin, running_plant
from lib.tpm import Tpm

LEVEL = """
[verifier]
period_s = 1
timeout_s = 4
lifetime_s = 8
minimum_level = "tpm-quoted"
"""


@pytest.fixture
def platform(element):
    tpm = Tpm(element.folder.parent / "tpm")
    try:
        yield element, tpm.start().make_store()
    finally:
        if tpm.process:
            tpm.stop()


def test_platform__attestation_key_bound_to_a_tpm__quoted_isolated_and_released(platform):
    element, tpm = platform
    tpm.extend(8)  # what boots here
    with running_plant(LEVEL) as plant:
        device = plant.add_device("mpu-1", tpm=tpm, extra=f'[keys]\nstore = "{element.uri}"\ntpm = "{tpm.uri}"\n')
        plant.wait_event("verifier.evidence.trusted", "mpu-1", level="tpm-quoted")
        device.wait_stored(10)
        assert (device.identity / "attest.key").read_text().startswith("-----BEGIN QUOIN KEY REFERENCE-----")
        assert len(element.keys()) == 2  # session and attestation

        # Something is loaded that was not there: quoin-se makes no signature any more, so no evidence passes.
        before = plant.last_event()
        tpm.extend(8)
        waiting.until(lambda: "bound to its platform" in device.log.read_text(), "quoin-se refuses", 20)

        # The agent gets a key for that platform, and the verifier sees what it is.
        plant.wait_event("verifier.evidence.untrusted", "mpu-1", after=before, reason="measurement_mismatch:tpm-pcrs")
        plant.wait_state("mpu-1", "quarantined")
        assert "platform_changed" in device.log.read_text()

        # Booted as it must be, it needs a key for that again, which a plant that has shut it out does not give.
        device.stop()
        tpm.reboot()
        tpm.extend(8)
        device.start()
        waiting.until(lambda: "renew_refused" in device.log.read_text(), "no certificate in quarantine", 20)
        before = plant.last_event()
        quoin("device", "release", "mpu-1", "--home", plant.home)
        plant.wait_event("verifier.evidence.trusted", "mpu-1", after=before, level="tpm-quoted", timeout_s=60)
        device.wait_stored(plant.newest("mpu-1") + 10)


def test_platform__tpm_away__connected_without_evidence_and_well_again(platform):
    element, tpm = platform
    with running_plant(LEVEL) as plant:
        device = plant.add_device("mpu-1", tpm=tpm, extra=f'[keys]\nstore = "{element.uri}"\ntpm = "{tpm.uri}"\n')
        plant.wait_event("verifier.evidence.trusted", "mpu-1", level="tpm-quoted")
        device.stop()
        tpm.stop()
        before = plant.last_event()
        device.start()
        plant.wait_event("broker.session.opened", "mpu-1", after=before)
        plant.wait_event("verifier.evidence.stale", "mpu-1", after=before)
        before = plant.last_event()
        tpm.start()
        plant.wait_event("verifier.evidence.trusted", "mpu-1", after=before, level="tpm-quoted")


def test_platform__without_a_tpm__below_the_level_that_the_plant_demands(platform):
    element, _ = platform
    with running_plant(LEVEL) as plant:
        plant.add_device("mpu-1", extra=f'[keys]\nstore = "{element.uri}"\n')
        plant.wait_event("verifier.evidence.untrusted", "mpu-1", reason="level_too_low")
