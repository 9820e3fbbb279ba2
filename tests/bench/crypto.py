"""The measurements of core/crypto: beside OpenSSL, by callgrind, on a Cortex-M4 in QEMU, and constant time by statistics."""
import json
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests/core"))

import callgrind  # noqa: E402
import check  # noqa: E402
import code_size  # noqa: E402

BOARD = TOP / "build/cortex-m4"
QEMU = ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none", "-icount", "shift=0",
        "-semihosting-config", "enable=on,target=native", "-kernel"]

# Cycles on a real Cortex-M4, of others: assembly, portable C, and C for little memory (pqm4's published tables).
PUBLISHED = {
    "ML-KEM-768 keygen": ("642k", "989k"),
    "ML-KEM-768 encaps": ("659k", "1,138k"),
    "ML-KEM-768 decaps": ("708k", "1,388k"),
    "ML-DSA-44 keygen": ("1.43M", "1.87M"),
    "ML-DSA-44 sign": ("3.94M", "7.9M"),
    "ML-DSA-44 verify": ("1.42M", "2.06M"),
    "ML-DSA-44 sign, low memory": ("", "12M"),
}


def beside_openssl(options):
    done = subprocess.run(["quoin", "crypto", "speed", "--json", "--rounds", str(max(options.rounds, 5))],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def beside_others():
    """Rows of the hash-based signatures by backend beside OpenSSL, Botan, and bare hashes, each ratio of one run."""
    rows = []
    for program in ("slh_dsa_bench", "lms_bench"):
        done = subprocess.run([TOP / "build/release/bin" / program], capture_output=True, text=True, timeout=1800)
        if done.returncode != 0:
            raise RuntimeError(f"{program} ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-2000:]}")
        rows += [json.loads(line) for line in done.stdout.splitlines()]
    return rows


def peer_of(row):
    """(name, its time in µs), or nobody"""
    peers = [key for key in row if key.endswith("_us") and key != "ours_us"]
    return (peers[0].removesuffix("_us").replace("_", " "), f"{row[peers[0]]:.1f}") if peers else ("", "")


def on_the_board():
    """(operations of the image with all, their closing lines by image)"""
    closing, rows = {}, []
    for image in ("all", "verify", "sign"):
        code, operations, last = check.reports_of([*QEMU, str(BOARD / f"tests/core_vectors_{image}")])
        if code != 0:
            raise RuntimeError(f"core_vectors_{image} failed: ./dev test core_vectors_cortex-m4")
        closing[image] = (max(row["stack_bytes"] for row in operations), last["stack_size"])
        rows = rows or operations
    return rows, closing


def by_callgrind():
    programs = TOP / "build/release/bin"
    portable = callgrind.instructions_of(programs / "core_callgrind_all")
    vectors = programs / "core_callgrind_avx2"
    return portable, callgrind.instructions_of(vectors) if vectors.exists() else {}


def by_statistics():
    """t of each operation that valgrind cannot run (core/crypto/test_timing.hpp), and what was not run."""
    rows, not_run = [], []
    for program in sorted((TOP / "build/release/bin").glob("*_timing_bench")):
        done = subprocess.run([program], capture_output=True, text=True, timeout=1800)
        if done.returncode not in (0, 1):  # 1: a planted leak was not seen
            raise RuntimeError(f"{program} ended with {done.returncode}: {done.stderr[-2000:]}")
        lines = done.stdout.splitlines()
        rows += [json.loads(line) for line in lines if line.startswith("{")]
        not_run += [f"{program.name}: {line}" for line in lines if not line.startswith("{")]
        if done.returncode == 1:
            not_run.append(f"{program.name}: a planted leak was not seen, its figures say nothing")
    return rows, not_run


def run(options, table, progress):
    progress("crypto: beside OpenSSL")
    speed = beside_openssl(options)
    table(f"core/crypto beside OpenSSL, {speed['machine']}", ["operation", "ours µs", "OpenSSL µs", "ratio", "spread"],
          [[row["operation"], f"{row['ours_us']:.1f}", f"{row['openssl_us']:.1f}" if "ratio" in row else "",
            f"{row['ratio']:.2f}" if "ratio" in row else "", f"{row['spread']:.0%}"] for row in speed["results"]])
    progress("crypto: hash-based signatures beside others")
    others = beside_others()
    table("Hash-based signatures by backend", ["operation", "ours µs", "peer", "its µs", "ratio", "spread"],
          [[row["operation"], f"{row['ours_us']:.1f}", *peer_of(row), f"{row['ratio']:.2f}" if "ratio" in row else "",
            f"{row['spread']:.0%}"] for row in others])
    progress("crypto: Cortex-M4")
    board, limits = on_the_board()
    table("Cortex-M4, instructions in QEMU (an optimistic proxy for cycles) beside published cycles",
          ["operation", "instructions", "stack B", "assembly, cycles", "portable C, cycles"],
          [[row["operation"], f"{row['instructions']:,}", f"{row['stack_bytes']:,}",
            *PUBLISHED.get(row["operation"], ("", ""))] for row in board if "instructions" in row])
    table("Images for a Cortex-M4", ["image", "stack used B", "of"],
          [[f"core_vectors_{image}", f"{used:,}", f"{size:,}"] for image, (used, size) in limits.items()])
    sizes = code_size.sizes_of(BOARD / "core_vectors_all.map")
    table("Code and tables on a Cortex-M4 (-O2)", ["object", "bytes"], [[name, f"{size:,}"] for name, size in sizes.items()])
    progress("crypto: callgrind")
    portable, vectors = by_callgrind()
    table("Instructions on this host, by callgrind", ["operation", "portable", "AVX2, AES-NI"],
          [[name, f"{portable.get(name, 0):,}" if name in portable else "", f"{vectors[name]:,}" if name in vectors else ""]
           for name in dict.fromkeys([*portable, *vectors])])
    progress("crypto: constant time by statistics")
    timing, not_run = by_statistics()
    table("Constant time by statistics: |t| above about 10 speaks against it", ["operation", "secret", "t", "t of the planted leak"],
          [[row["operation"], row["secret"], row["t"], row["t_of_planted_leak"]] for row in timing])
    for line in not_run:
        print(line, flush=True)
    return {"speed": speed, "hash_based": others, "cortex_m4": board, "limits": limits, "code_size": sizes, "callgrind": portable,
            "callgrind_avx2": vectors, "timing": timing, "timing_not_run": not_run}
