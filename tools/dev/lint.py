"""Runs clang-tidy over what has changed since it last passed.

usage: lint.py --build DIR [--jobs N] [FILE...]

A file's key is the hash of its commands, of .clang-tidy, of the package list, and of every file of ours that the
build says it includes; a key that has passed is remembered in DIR/lint/. So the tree must be built first.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TIDY = "clang-tidy-19"


@lru_cache(maxsize=None)
def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def included_files(build):
    """object file -> files of ours that went into it, from ninja's log of dependencies."""
    output = subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, capture_output=True, text=True).stdout
    included, target = {}, None
    for line in output.splitlines():
        if line and not line.startswith(" "):
            target = line.split(": #deps")[0]
            included[target] = []
        elif line.strip():
            path = (Path(build) / line.strip()).resolve()
            if path.is_relative_to(ROOT):
                included[target].append(path)
    return included


def units(build):
    """[(source, key)] of the product's and the tests' own sources."""
    included = included_files(build)
    common = digest(ROOT / ".clang-tidy") + digest(ROOT / "tools/packages.txt")
    found = {}
    for entry in json.loads((Path(build) / "compile_commands.json").read_text()):
        source = Path(entry["file"])
        if source in found or not source.is_relative_to(ROOT) or source.is_relative_to(Path(build).resolve()):
            continue
        parts = [common, entry["command"], *tidy_command(build, source)]
        parts += [f"{path} {digest(path)}" for path in sorted(included.get(entry["output"], [source]))]
        found[source] = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return sorted(found.items())


# The path-sensitive analyzer takes four fifths of the time: it looks where pointers and bytes are handled by hand.
ANALYZED = ("core", "broker", "host/crypto", "host/files")


def checks_of(source):
    name = str(source.relative_to(ROOT))
    if name.endswith(("_test.cpp", "_bench.cpp", "_check.cpp")) or name.startswith("tests/"):
        return ["--checks=-clang-analyzer-*,-performance-*,"
                "-cert-msc32-c,-cert-msc51-cpp,"  # seeds that repeat
                "-cert-env33-c,"  # foreign programs are run
                "-cppcoreguidelines-pro-type-member-init,"  # buffers that are written next
                "-cppcoreguidelines-special-member-functions,"  # fixtures
                "-cppcoreguidelines-virtual-class-destructor"]
    return [] if name.startswith(ANALYZED) else ["--checks=-clang-analyzer-*"]


def tidy_command(build, source):
    return [TIDY, "--quiet", "-p", build, *checks_of(source), "--extra-arg=-Wno-unknown-warning-option",
            "--extra-arg=-Wno-deprecated-declarations",  # RapidCheck, instantiated in our files
            str(source)]


def tidy(build, source):
    result = subprocess.run(tidy_command(build, source), capture_output=True, text=True)
    return result.returncode, result.stdout + ("" if result.returncode == 0 else result.stderr)


def selected(all_units, files, passed):
    if files:
        wanted = {Path(file).resolve() for file in files}
        return [(source, key) for source, key in all_units if source in wanted or set(source.parents) & wanted]
    return [(source, key) for source, key in all_units if not (passed / key).exists()]


def canary_is_found(build):
    """A planted defect: if clang-tidy says nothing here, its silence elsewhere means nothing."""
    planted = Path(build) / "lint/canary.cpp"
    planted.write_text("#include <utility>\n#include <string>\n"
                       "std::size_t f(std::string a) { std::string b = std::move(a); return a.size() + b.size(); }\n")
    result = subprocess.run([TIDY, "--quiet", f"--config-file={ROOT}/.clang-tidy", str(planted), "--", "-std=c++23"],
                            capture_output=True, text=True)
    return result.returncode != 0 and "bugprone-use-after-move" in result.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    passed = Path(arguments.build) / "lint"
    passed.mkdir(exist_ok=True)
    if not canary_is_found(arguments.build):
        sys.exit("lint: clang-tidy did not find the planted defect: check .clang-tidy")
    everything = units(arguments.build)
    work = selected(everything, arguments.files, passed)
    failed, done = 0, 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        futures = {pool.submit(tidy, arguments.build, source): (source, key) for source, key in work}
        for future in concurrent.futures.as_completed(futures):
            source, key = futures[future]
            code, output = future.result()
            done += 1
            print(f"[{done}/{len(work)}] {source.relative_to(ROOT)}", file=sys.stderr, flush=True)
            if code == 0:
                (passed / key).touch()
            else:
                failed += 1
                print(output, flush=True)
    print(f"lint: {len(everything)} sources, {len(work)} looked at, {failed} with findings")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
