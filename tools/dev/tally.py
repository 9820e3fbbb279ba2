"""Adds up the reports of one ./dev test and prints the closing line "N passed, N failed[, N skipped]".

usage: tally.py REPORTS STATUS. REPORTS holds stages.tsv, setup.tsv, JUnit files of ctest and pytest, and a JSON
file of each GoogleTest program: its cases are counted instead of the program. STATUS is the exit code so far. Exits 0
only if something passed, nothing failed, and every stage ended well.
"""
import json
import sys
import xml.etree.ElementTree as xml
from pathlib import Path


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = []   # names
        self.skipped = []  # (name, why)


def add_googletest(tally, report):
    """Returns True if a case failed."""
    before = len(tally.failed)
    for suite in json.loads(report.read_text())["testsuites"]:
        for case in suite["testsuite"]:
            name = f"{report.stem}: {suite['name']}.{case['name']}"
            if case.get("failures"):
                tally.failed.append(name)
            elif case["result"] == "SKIPPED":
                why = [skip.get("message", "") for skip in case.get("skipped", [])]
                tally.skipped.append((name, " ".join(why).strip() or "no reason given"))
            elif case["status"] == "RUN":
                tally.passed += 1
            else:
                tally.skipped.append((name, "disabled"))
    return len(tally.failed) > before


def add_ctest(tally, report, programs):
    for case in xml.parse(report).getroot().iter("testcase"):
        name, status = case.get("name"), case.get("status")
        cases = programs / f"{name}.json"
        if cases.exists():
            any_failed = add_googletest(tally, cases)
            if status != "run" and not any_failed:
                tally.failed.append(f"{name}: every case passed, then it crashed or timed out")
        elif status == "run":
            tally.passed += 1
        elif status == "fail":
            tally.failed.append(name)
        else:
            skipped = case.find("skipped")
            why = skipped.get("message") if skipped is not None else status
            if why == "SKIP_RETURN_CODE=77" or status == "disabled":
                tally.skipped.append((name, (case.findtext("system-out") or "").strip() or why))
            else:  # the program is not there: that is a failure
                tally.failed.append(f"{name}: did not run ({why})")


def add_pytest(tally, report):
    for case in xml.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            tally.failed.append(name)
        elif skipped is not None:
            tally.skipped.append((name, skipped.get("message") or "no reason given"))
        else:
            tally.passed += 1


def add_lines(tally, report):
    for line in report.read_text().splitlines():
        result, name = line.split("\t")
        if result == "passed":
            tally.passed += 1
        else:
            tally.failed.append(name)


def add_stages(tally, stages, status):
    """A stage that failed without a failing test in it (a build that broke) is one failure itself."""
    rows = [line.split("\t") for line in stages.read_text().splitlines()] if stages.exists() else []
    for name, result, seconds in rows:
        print(f"  {int(seconds):5d} s  {result}  {name}")
    broken = [name for name, result, _ in rows if result != "passed"]
    if tally.failed:  # a stage of tests is among the failures already, a broken build is not
        broken = [name for name in broken if name.startswith("build")]
    tally.failed += [f"stage: {name}" for name in broken]
    if status != 0 and not tally.failed:
        tally.failed.append(f"./dev test ended early with exit code {status} (its message is above)")


def tally_of(reports, status):
    tally = Tally()
    for report in [reports / "unit.xml", reports / "fuzz.xml", *sorted(reports.glob("machine-*.xml"))]:
        if report.exists():
            add_ctest(tally, report, reports / "gtest")
    if (reports / "e2e.xml").exists():
        add_pytest(tally, reports / "e2e.xml")
    if (reports / "setup.tsv").exists():
        add_lines(tally, reports / "setup.tsv")
    add_stages(tally, reports / "stages.tsv", status)
    return tally


def closing_line(tally):
    line = f"{tally.passed} passed, {len(tally.failed)} failed"
    return line + (f", {len(tally.skipped)} skipped" if tally.skipped else "")


def main():
    tally = tally_of(Path(sys.argv[1]), int(sys.argv[2]))
    for name, why in tally.skipped:
        print(f"SKIPPED {name}: {why}")
    for name in tally.failed:
        print(f"FAILED {name}")
    print(closing_line(tally), flush=True)
    sys.exit(0 if tally.passed and not tally.failed else 1)


if __name__ == "__main__":
    main()
