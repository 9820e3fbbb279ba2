"""Instructions of each operation of an image of tests/core on this host, counted by callgrind.

As a module: instructions_of(program) gives {operation: instructions, the mean of its rounds}.
usage: callgrind.py PROGRAM
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile


def counted(folder):
    """The totals of each dump, in their order."""
    totals = {}
    for path in pathlib.Path(folder).glob("callgrind.out.*"):
        match = re.search(r"^(?:totals|summary): (\d+)", path.read_text(), re.MULTILINE)
        number = re.fullmatch(r"callgrind\.out\.(\d+)", path.name)
        if match and number:
            totals[int(number.group(1))] = int(match.group(1))
    return [totals[number] for number in sorted(totals)]


def instructions_of(program):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no", "--dump-line=no",
                               f"--callgrind-out-file={folder}/callgrind.out", program], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{program} under callgrind: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        dumps = counted(folder)
    rows = [row for row in map(json.loads, done.stdout.splitlines()) if "operation" in row]
    if len(dumps) != sum(row["rounds"] for row in rows):
        raise RuntimeError(f"{len(dumps)} dumps of {sum(row['rounds'] for row in rows)} rounds")
    found = {}
    for row in rows:
        rounds, dumps = dumps[:row["rounds"]], dumps[row["rounds"]:]
        found[row["operation"]] = sum(rounds) // len(rounds)
    return found


if __name__ == "__main__":
    for operation, instructions in instructions_of(sys.argv[1]).items():
        print(f"{operation:<40}{instructions:>14,}")
