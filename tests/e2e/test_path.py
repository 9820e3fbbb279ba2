"""One path through everything: born, enrolled, connected, stored, attested, isolated, released, revoked."""

import json
import pathlib

import pytest

from lib.plant import quoin
from lib.rest import Refused
from lib.suspects import check_suspects


@pytest.mark.any_network
def test_path__mpu_and_mcu__samples_stored_and_trusted(plant):
    mpu = plant.add_device("mpu-1")
    mcu = plant.add_device("mcu-1", "mcu")
    mpu.wait_stored(20)
    mcu.wait_stored(20)
    plant.wait_state("mpu-1", "active")
    plant.wait_state("mcu-1", "active")
    shown = plant.rest.get("devices/mpu-1")
    assert (shown["verdict"], shown["verdict_level"]) == ("trusted", "self-reported")
    assert plant.rest.get("devices/mcu-1")["verdict"] == "no policy"
    samples = plant.samples("mpu-1")
    assert [sample["seq"] for sample in samples] == list(range(1, len(samples) + 1))
    assert [sample["values"]["number"] for sample in samples] == list(range(len(samples)))


@pytest.mark.any_network
def test_path__file_altered__isolated_until_repaired_and_released(plant):
    device = plant.add_device("mpu-1")
    device.wait_stored(10)
    passed = plant.wait_event("verifier.evidence.trusted", "mpu-1", plant.last_event())
    after = passed["number"]
    device.alter_program()
    plant.wait_event("verifier.evidence.untrusted", "mpu-1", after,
                     reason="measurement_mismatch:file:plc-program.bin")
    closed = plant.wait_event("broker.session.isolated", "mpu-1", after)
    plant.wait_event("broker.session.refused", "mpu-1", closed["number"])
    assert plant.state("mpu-1") == "quarantined"
    assert not plant.rest.get("telemetry", device="mpu-1", from_ms=closed["time_ms"])["samples"]

    # Repaired is not enough, and released without repair is not either.
    quoin("device", "release", "mpu-1", "--home", plant.home)
    plant.wait_event("verifier.evidence.untrusted", "mpu-1", closed["number"])
    plant.wait_state("mpu-1", "quarantined")
    after = plant.last_event()
    device.alter_program()
    quoin("device", "release", "mpu-1", "--home", plant.home)
    plant.wait_event("verifier.evidence.trusted", "mpu-1", after)
    plant.wait_state("mpu-1", "active")
    stored = plant.newest("mpu-1")
    device.wait_stored(stored + 50)
    check_suspects(plant, "mpu-1")
    samples = plant.samples("mpu-1")
    assert [sample["values"]["number"] for sample in samples] == list(range(len(samples)))


@pytest.mark.any_network
def test_path__revoked__session_ends_and_nothing_brings_it_back(plant):
    device = plant.add_device("mpu-1")
    device.wait_stored(10)
    after = plant.last_event()
    quoin("device", "revoke", "mpu-1", "--reason", "key_compromise", "--note", "stolen", "--home", plant.home)
    plant.wait_event("broker.session.isolated", "mpu-1", after)
    plant.wait_event("broker.session.refused", "mpu-1", after)
    # Its birth certificate does not help it either.
    device.kill()
    for name in device.identity.parent.iterdir():
        name.unlink() if name.is_symlink() else None
    after = plant.last_event()
    device.start()
    plant.wait_event("pki.enrolment.refused", "mpu-1", after)
    with pytest.raises(Refused):
        plant.rest.post("devices/mpu-1/release")
    assert plant.state("mpu-1") == "revoked"


def test_path__not_on_the_inventory__no_certificate(plant):
    plant.add_device("mpu-1", register=False)
    plant.wait_event("pki.enrolment.refused", "mpu-1", reason="inventory")
    with pytest.raises(Refused) as refused:
        plant.rest.get("devices/mpu-1")
    assert refused.value.status == 404


def test_path__batch_with_one_bad_line__nothing_is_added(plant):
    batch = plant.folder / "bad.jsonl"
    good = json.dumps({"silicon_id": "x-1", "class": "mpu", "birth_cert_sha256": "ab" * 32})
    batch.write_text(good + "\n" + good.replace("x-1", "x 2") + "\n")
    done = quoin("device", "import", batch, "--home", plant.home, check=False)
    assert done.returncode != 0
    assert "line 2" in done.stderr and "silicon_id" in done.stderr
    assert plant.rest.get("devices")["devices"] == []


def test_cli__commands__answer_as_documented(plant):
    device = plant.add_device("mpu-1")
    device.wait_stored(20)
    plant.wait_state("mpu-1", "active")
    status = json.loads(quoin("status", "--json", "--home", plant.home).stdout)
    assert status["devices"]["active"] == 1 and status["broker_connected"]
    listed = json.loads(quoin("device", "list", "--json", "--home", plant.home).stdout)
    assert [one["device"] for one in listed["devices"]] == ["mpu-1"]
    assert "mpu-1" in quoin("device", "list", "--home", plant.home).stdout
    last = json.loads(quoin("telemetry", "query", "--device", "mpu-1", "--last", "--limit", "1", "--json",
                            "--home", plant.home).stdout)
    assert len(last["samples"]) == 1
    csv = plant.folder / "all.csv"
    quoin("telemetry", "export", "--csv", csv, "--home", plant.home)
    lines = csv.read_text().splitlines()
    assert len(lines) > 20 and "mpu-1" in lines[1]
    assert "broker.session.opened" in quoin("events", "--limit", "500", "--home", plant.home).stdout
    assert "holds" in quoin("audit", "verify", "--home", plant.home).stdout
    missing = quoin("device", "show", "nobody", "--home", plant.home, check=False)
    assert missing.returncode == 1 and "nobody" in missing.stderr
    assert quoin("device", "frobnicate", check=False).returncode == 2
    doctor = json.loads(quoin("doctor", "--json", "--home", plant.home, check=False).stdout)
    assert doctor["failed"] == 0, doctor


def test_cli__remote_with_operator_certificate__roles_hold(plant):
    quoin("pki", "operator", "anna", "--role", "viewer", "--home", plant.home)
    url = f"https://127.0.0.1:{plant.ports['https']}"
    remote = ("--url", url, "--home", plant.home)
    assert json.loads(quoin("status", "--json", *remote).stdout)["site"] == "e2e"
    as_anna = (*remote, "--certificate", plant.home / "operator/anna.crt")
    assert json.loads(quoin("device", "list", "--json", *as_anna).stdout)["devices"] == []
    refused = quoin("device", "revoke", "mpu-1", "--reason", "unspecified", *as_anna, check=False)
    assert refused.returncode == 1 and "viewer" in refused.stderr + refused.stdout


def test_up__twice_in_one_home__second_is_refused_and_first_goes_on(plant):
    again = quoin("up", "--home", plant.home, "--ports", "free", check=False)
    assert again.returncode == 1 and "already" in again.stderr
    assert plant.rest.get("status")["site"] == "e2e"


def test_down__plant_is_gone_and_comes_back_with_its_data(plant):
    device = plant.add_device("mpu-1")
    device.wait_stored(20)
    pids = [plant.pid("quoind"), plant.pid("broker")]
    plant.down()
    for pid in pids:
        assert not pathlib.Path(f"/proc/{pid}").exists()
    assert "no plant runs" in quoin("down", "--home", plant.home).stdout
    device.kill()
    plant.start()
    assert plant.newest("mpu-1") >= 20
    assert [one["device"] for one in plant.rest.get("devices")["devices"]] == ["mpu-1"]
