"""The audit log from outside: a SIEM gets it, and whoever alters it is found out."""

import json
import subprocess

import pytest
from lib import waiting
from lib.plant import OVERLAY, Plant, quoin
from lib.siem import Siem


def test_audit__siem_restarted__has_what_export_prints(request):
    siem = Siem()
    plant = Plant(overlay=OVERLAY + siem.settings())
    request.node.funcargs["plant"] = plant
    try:
        siem.start()
        plant.start()
        waiting.until(lambda: any("quoind.process.started" in line for line in siem.messages()), "the SIEM hears of it")
        siem.stop()
        plant.wait_event("audit.siem.disconnected")
        siem.make_certificate()  # the plant follows the file that says whom it trusts
        plant.add_device("mpu-1").wait_stored(1)
        siem.start()
        # What happened while it was away; quoind does not wait for a SIEM that it is not connected to.
        waiting.until(lambda: any("mpu-1" in line for line in siem.messages()), "the SIEM catches up")
        plant.down()
        exported = quoin("audit", "export", "--home", plant.home, "--format", "syslog").stdout.splitlines()
        # rsyslog writes its file a moment after it has a line.
        waiting.until(lambda: any("quoind.process.stopped" in line for line in siem.messages()), "the SIEM has the end")
        received = list(dict.fromkeys(siem.messages()))  # after a break the last ones may come twice
        assert received == exported[:len(received)]
        assert "quoind.process.stopped" in received[-1]
    finally:
        plant.close()
        siem.close()
    plant.remove()


def test_audit__altered_log__found_and_quoind_refuses(plant):
    plant.wait_event("quoind.process.started")
    plant.down()
    log = plant.home / "audit/audit.jsonl"
    good = log.read_text()
    report = json.loads(quoin("audit", "verify", "--home", plant.home, "--json").stdout)
    assert report["holds"] and report["covered_number"] == report["last_number"] == len(good.splitlines())

    log.write_text(good.replace('"site":"e2e"', '"site":"e2f"'))
    checked = quoin("audit", "verify", "--home", plant.home, "--json", check=False)
    report = json.loads(checked.stdout)
    assert checked.returncode == 1 and not report["holds"]
    assert "chain is broken" in report["problem"]
    assert report["line"] == report["events"] + 1

    refused = subprocess.run(["quoind", "--home", plant.home], capture_output=True, text=True, timeout=30)
    assert refused.returncode == 1
    assert "quoin audit verify" in refused.stderr
    assert log.read_text() == good.replace('"site":"e2e"', '"site":"e2f"')


@pytest.mark.parametrize("arguments, names", [
    (("--file", "/nothing/audit.jsonl"), "/nothing/audit.jsonl"),
    (("--certificate", "HOME/services/broker.crt"), "service \"audit\""),
    (("--trust", "HOME/../maker/ca.crt"), "services/audit.crt"),
])
def test_audit__verify_with_wrong_file__says_which(plant, arguments, names):
    given = [text.replace("HOME", str(plant.home)) for text in arguments]
    checked = quoin("audit", "verify", "--home", plant.home, *given, check=False)
    assert checked.returncode != 0
    assert names in checked.stderr


def test_audit__services_renewed__said_until_quoind_signs_with_the_new_key(plant):
    def verify(*more):
        return json.loads(quoin("audit", "verify", "--home", plant.home, "--json", *more, check=False).stdout)

    plant.wait_event("quoind.process.started")
    plant.down()
    quoin("pki", "renew-services", "--home", plant.home)
    [earlier] = (plant.home / "audit/earlier").iterdir()
    report = verify()
    assert not report["holds"] and not report["by_present_key"] and "earlier key" in report["problem"]
    assert verify("--certificate", earlier)["holds"]
    plant.start()
    plant.down()
    for more in ((), ("--pin",)):
        report = verify(*more)
        assert report["holds"] and report["by_present_key"], report
    quoin("pki", "renew-services", "--home", plant.home)
    plant.start()


def test_audit__services_renewed_while_quoind_runs__it_signs_with_the_new_key(plant):
    after = plant.wait_event("quoind.process.started")["number"]
    quoin("pki", "renew-services", "--home", plant.home)
    plant.wait_event("pki.services.replaced", after=after)
    plant.down()
    report = json.loads(quoin("audit", "verify", "--home", plant.home, "--json").stdout)
    assert report["holds"] and report["by_present_key"], report
