"""Tests of tools/dev/tally.py: nothing that failed, crashed, was skipped or never ran may be lost."""
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tools/dev"))
import tally  # noqa: E402

CASES = {
    "passed": {"name": "a__b__c", "status": "RUN", "result": "COMPLETED"},
    "failed": {"name": "d__e__f", "status": "RUN", "result": "COMPLETED", "failures": [{"failure": "x"}]},
    "skipped": {"name": "g__h__i", "status": "RUN", "result": "SKIPPED", "skipped": [{"message": "no server"}]},
    "disabled": {"name": "j__k__l", "status": "NOTRUN", "result": "SUPPRESSED"},
}


class Tally(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.reports = Path(self.folder.name)
        self.addCleanup(self.folder.cleanup)

    def ctest(self, **tests):
        cases = "".join(f'<testcase name="{name}" status="{status}">'
                        + ('<skipped message="SKIP_RETURN_CODE=77"/><system-out>no engine</system-out>'
                           if status == "notrun-skip" else "") + "</testcase>"
                        for name, status in tests.items()).replace("notrun-skip", "notrun")
        (self.reports / "unit.xml").write_text(f"<testsuite>{cases}</testsuite>")

    def googletest(self, program, *kinds):
        (self.reports / "gtest").mkdir(exist_ok=True)
        (self.reports / f"gtest/{program}.json").write_text(
            json.dumps({"testsuites": [{"name": "S", "testsuite": [CASES[kind] for kind in kinds]}]}))

    def stages(self, *rows):
        (self.reports / "stages.tsv").write_text("".join(f"{name}\t{result}\t1\n" for name, result in rows))

    def line(self, status=0):
        return tally.closing_line(tally.tally_of(self.reports, status))

    def test_ctest__other_machines__counted(self):
        self.ctest(host="run")
        for machine, status in (("aarch64", "run"), ("cortex-m4", "fail")):
            (self.reports / f"machine-{machine}.xml").write_text(
                f'<testsuite><testcase name="core_vectors_{machine}_all" status="{status}"/></testsuite>')
        self.assertEqual(self.line(), "2 passed, 1 failed")

    def test_tally__program_with_cases__counts_the_cases(self):
        self.ctest(a_test="run", script="run")
        self.googletest("a_test", "passed", "passed")
        self.assertEqual(self.line(), "3 passed, 0 failed")

    def test_tally__failing_case__is_counted_and_named(self):
        self.ctest(a_test="fail")
        self.googletest("a_test", "passed", "failed")
        self.assertEqual(self.line(), "1 passed, 1 failed")
        self.assertEqual(tally.tally_of(self.reports, 0).failed, ["a_test: S.d__e__f"])

    def test_tally__program_crashed_without_report__is_a_failure(self):
        self.ctest(a_test="fail")
        self.assertEqual(self.line(), "0 passed, 1 failed")

    def test_tally__crash_after_the_cases__is_a_failure(self):
        self.ctest(a_test="fail")
        self.googletest("a_test", "passed")
        self.assertEqual(self.line(), "1 passed, 1 failed")

    def test_tally__program_was_not_built__is_a_failure(self):
        self.ctest(a_test="notrun")
        self.assertEqual(self.line(), "0 passed, 1 failed")

    def test_tally__skipped_cases__are_counted_with_their_reason(self):
        self.ctest(a_test="run", b_test="notrun-skip")
        self.googletest("a_test", "passed", "skipped", "disabled")
        self.assertEqual(self.line(), "1 passed, 0 failed, 3 skipped")
        self.assertEqual([why for _, why in tally.tally_of(self.reports, 0).skipped],
                         ["no server", "disabled", "no engine"])

    def test_tally__pytest_report__is_added(self):
        (self.reports / "e2e.xml").write_text(
            '<testsuites><testsuite><testcase classname="t" name="a"/><testcase classname="t" name="b"><failure/></testcase>'
            '<testcase classname="t" name="c"><error/></testcase>'
            '<testcase classname="t" name="d"><skipped message="why"/></testcase></testsuite></testsuites>')
        self.assertEqual(self.line(), "1 passed, 2 failed, 1 skipped")

    def test_tally__setup_checks__are_added(self):
        (self.reports / "setup.tsv").write_text("passed\tdisk\nfailed\tmirror\n")
        self.assertEqual(self.line(), "1 passed, 1 failed")

    def test_tally__stage_broke_without_a_failing_test__is_a_failure(self):
        self.stages(("build (dev)", "failed"))
        self.assertEqual(self.line(), "0 passed, 1 failed")

    def test_tally__stage_broke_beside_failing_tests_of_another__is_a_failure_too(self):
        self.ctest(a_test="fail")
        self.stages(("unit", "failed"), ("build (fuzz)", "failed"))
        self.assertEqual(self.line(), "0 passed, 2 failed")

    def test_tally__ended_early__is_a_failure(self):
        self.ctest(a_test="run")
        self.assertEqual(self.line(status=1), "1 passed, 1 failed")


if __name__ == "__main__":
    unittest.main()
