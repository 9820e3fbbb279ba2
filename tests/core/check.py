"""Runs an image of tests/core, checks what it reports, and prints it as a table.

usage: check.py [--canary | --overflow] [--map FILE] COMMAND...
--canary: the run must end with exit code 1 and exactly the operation "canary" failed. --overflow: it must end in a fault.
--map: the linker's map of the image, to print the size of its code and tables.
"""
import argparse
import json
import subprocess
import sys

import code_size


def reports_of(command, timeout_s=280):
    """(exit code, the operations, the closing line) of a run."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,  # QEMU prints for the board there
                          text=True, timeout=timeout_s)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    operations = [line for line in lines if "operation" in line]
    if {"fault": True} in lines:
        return done.returncode, operations, None
    closing = next((line for line in lines if "failed" in line), None)
    if closing is None:
        sys.exit(f"it ended early with exit code {done.returncode}:\n{done.stdout}")
    return done.returncode, operations, closing


def print_table(operations):
    for row in operations:
        cells = [f"{row[key]:>12,} {unit}" for key, unit in (("instructions", "instructions"), ("stack_bytes", "B stack"))
                 if key in row]
        print(f"{'ok    ' if row['passed'] else 'FAILED'} {row['operation']:<34}{''.join(cells)}")


def fault_of(options, code, operations, closing):
    failed = [row["operation"] for row in operations if not row["passed"]]
    if options.canary:
        return None if (code, failed) == (1, ["canary"]) else f"the canary was not found: exit code {code}, failed: {failed}"
    if code != 0 or failed or closing["failed"] != 0:
        return f"exit code {code}, failed: {failed}"
    if not operations or closing["passed"] != len(operations):
        return f"{len(operations)} operations were reported, {closing['passed']} have passed"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--canary", action="store_true")
    parser.add_argument("--overflow", action="store_true")
    parser.add_argument("--map")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    code, operations, closing = reports_of(options.command)
    print_table(operations)
    if options.overflow or closing is None:
        sys.exit(0 if options.overflow and (code, closing) == (3, None) else f"exit code {code}, a fault: {closing is None}")
    fault = fault_of(options, code, operations, closing)
    if closing.get("stack_size"):
        most = max(row.get("stack_bytes", 0) for row in operations)
        print(f"stack: {most} of {closing['stack_size']} bytes used at most")
    if options.map:
        sizes = code_size.sizes_of(options.map)
        print("code and tables:\n" + "\n".join(f"       {name:<40}{size:>8,} B" for name, size in sizes.items()))
    if fault:
        sys.exit(fault)


if __name__ == "__main__":
    main()
