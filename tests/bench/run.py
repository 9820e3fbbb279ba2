"""./dev bench: measures a real plant. Prints one Markdown table a measurement."""

import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

import crypto as core_crypto  # noqa: E402
import ocsp as ocsp_bench  # noqa: E402
import tls as tls_bench  # noqa: E402
from lib import account, waiting  # noqa: E402
from lib.plant import Plant, quoin  # noqa: E402

# Loads, not policy: the limits that protect a plant in earnest would be what is measured.
OVERLAY = """
[verifier]
period_s = 1
timeout_s = 4
lifetime_s = 120
[telemetry]
rate_per_device = 1000000
rate_burst = 1000000
[feed]
lifetime_s = 600
"""


def median(values):
    return statistics.median(values)


def spread(values):
    """(max - min) / median, as a share."""
    return (max(values) - min(values)) / median(values)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(title, header, rows):
    print(f"\n### {title}\n")
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    sys.stdout.flush()


def progress(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def load(*arguments, timeout_s=300):
    done = subprocess.run(["quoin-sim-load", *map(str, arguments)], capture_output=True, text=True, timeout=timeout_s)
    if done.returncode != 0:
        raise RuntimeError(f"quoin-sim-load {' '.join(map(str, arguments))}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def access(plant):
    return ["--port", plant.ports["mqtt"], "--site", "e2e", "--suite", plant.suite]


# --- handshakes

def handshakes(options):
    done = subprocess.run(["handshake_bench", "--rounds", str(options.rounds), "--handshakes", "100"],
                          capture_output=True, text=True, check=True)
    rows = json.loads(done.stdout)
    table("Mutual TLS handshakes, one at a time",
          ["suite", "server", "handshakes/s", "spread", "server CPU µs", "bytes to server", "bytes to client"],
          [[row["suite"], row["server"], f"{row['handshakes_per_s']:.0f}", f"{row['spread']:.0%}",
            f"{row['server_cpu_us']:.0f}", row["client_to_server_bytes"], row["server_to_client_bytes"]]
           for row in rows])
    return rows


# --- enrolments

def enrolments(options):
    done = subprocess.run(["enrol_bench", "--rounds", str(options.rounds), "--json"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    table(f"Enrolments over EST, {found['threads']} threads", ["what", "a second", "spread"],
          [["EST, RA, CA, database", f"{median(found['product_per_s']):.1f}", f"{spread(found['product_per_s']):.0%}"],
           ["bare: the same handshakes, signatures, verifications; a commit a group", f"{median(found['bare_per_s']):.1f}",
            f"{spread(found['bare_per_s']):.0%}"],
           ["ratio", f"{found['ratio']:.2f}", ""]])
    return found


# --- telemetry

def enrolled(plant, names):
    """Devices of class mcu (they may publish without an attestation), enrolled by their agents, which then end."""
    for name in names:
        device = plant.add_device(name, "mcu", rows=1)
        waiting.until(lambda: plant.state(device.name) == "active", f"{name} is enrolled")
        device.stop()
    return [plant.folder / "devices" / name for name in names]


class WithoutTelemetry:
    """quoind without its role `telemetry`, so that a bare subscriber is alone on the broker."""

    def __init__(self, plant):
        self.plant = plant

    def __enter__(self):
        os.kill(self.plant.supervisor(), signal.SIGSTOP)  # it would start quoind again
        self.plant.kill("quoind", signal.SIGTERM)
        self.log = open(self.plant.home / "log/bench-quoind.log", "ab")
        self.process = waiting.until(self._start, "quoind runs without telemetry")

    def _start(self):
        process = account.spawn(["quoind", "--home", str(self.plant.home), "--roles", "pki,fleet,verifier,api"],
                                self.log)
        try:
            process.wait(1.5)
            return None  # the old one still holds the home
        except subprocess.TimeoutExpired:
            return process

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()
        before = self.plant.home / "audit/audit.jsonl"
        lines = len(before.read_text().splitlines())
        os.kill(self.plant.supervisor(), signal.SIGCONT)
        waiting.until(lambda: self.plant.rest.get("status"), "quoind is back")
        self.plant.wait_event("broker.session.opened", "service.telemetry", after=lines)


def bare_round(plant, folders, messages, first):
    total = messages * len(folders)
    subscriber = subprocess.Popen(["quoin-sim-load", *map(str, access(plant)), "subscribe", plant.home,
                                   "--messages", str(total)], stdout=subprocess.PIPE, text=True)
    json.loads(subscriber.stdout.readline())  # it has subscribed
    load(*access(plant), "publish", *folders, "--stream", "bare", "--messages", messages,
         "--first", first, "--window", 500)
    out, _ = subscriber.communicate(timeout=120)
    return json.loads(out.splitlines()[-1])


def commit_latencies_ms(plant, first, stream="load"):
    """From the sample's time stamp, set as it is published, to the row's, by the same clock."""
    found, after = [], first - 1
    while len(found) < 20000:
        page = plant.rest.get("telemetry", device="load-1", stream=stream, after_seq=after, limit=1000)["samples"]
        if not page:
            break
        found += [sample["stored_ms"] - sample["ts_ms"] for sample in page]
        after = page[-1]["seq"]
    return found


def telemetry(options):
    plant = Plant(overlay=OVERLAY).start()
    try:
        folders = enrolled(plant, ["load-1", "load-2"])
        messages = options.messages // len(folders)
        bare, stored, first = [], [], 1
        for number in range(options.rounds):
            progress(f"telemetry: round {number + 1} of {options.rounds}")
            with WithoutTelemetry(plant):
                bare.append(bare_round(plant, folders, messages, 1))
            stored.append(load(*access(plant), "publish", *folders, "--messages", messages, "--first", first,
                               "--window", 500, "--until", "stored"))
            first += messages
        full_ms = commit_latencies_ms(plant, first - messages)
        load(*access(plant), "publish", folders[0], "--stream", "paced", "--messages", 1000, "--window", 1,
             "--until", "stored")
        paced_ms = commit_latencies_ms(plant, 1, "paced")
    finally:
        plant.close()
    plant.remove()
    bare_rate = median([row["per_second"] for row in bare])
    stored_rate = median([row["per_second"] for row in stored])
    ratios = [ours["per_second"] / theirs["per_second"] for ours, theirs in zip(stored, bare)]
    table("Telemetry, QoS 1, two devices, SQLite",
          ["what", "messages/s", "spread", "p50 ms", "p99 ms"],
          [["broker to a bare subscriber", f"{bare_rate:.0f}", f"{spread([r['per_second'] for r in bare]):.0%}",
            "", ""],
           ["published, committed, acknowledged; latency to the commit", f"{stored_rate:.0f}",
            f"{spread([r['per_second'] for r in stored]):.0%}", percentile(full_ms, 0.5), percentile(full_ms, 0.99)],
           ["one sample in flight; latency to the commit", "", "", percentile(paced_ms, 0.5),
            percentile(paced_ms, 0.99)],
           ["ratio, median of the rounds", f"{median(ratios):.2f}", f"{spread(ratios):.0%}", "", ""]])
    return {"bare": bare, "stored": stored, "full_ms": full_ms, "paced_ms": paced_ms, "ratio": median(ratios)}


# --- isolation

def isolation(options):
    plant = Plant(overlay=OVERLAY).start()
    taken_ms = []
    try:
        device = plant.add_device("mpu-1")
        plant.wait_state("mpu-1", "active")
        for number in range(options.isolations):
            if number % 10 == 0:
                progress(f"isolation: {number} of {options.isolations}")
            after = plant.last_event()
            device.alter_program()
            verdict = plant.wait_event("verifier.evidence.untrusted", "mpu-1", after)
            closed = plant.wait_event("broker.session.isolated", "mpu-1", after)
            taken_ms.append(int(closed["detail"].get("at_ms", closed["time_ms"])) - verdict["time_ms"])
            device.kill()  # its next connection would wait for its backoff
            device.alter_program()
            plant.rest.post("devices/mpu-1/release")
            device.start()
            plant.wait_event("verifier.evidence.trusted", "mpu-1", closed["number"], timeout_s=60)
            plant.wait_state("mpu-1", "active")
    finally:
        plant.close()
    plant.remove()
    table("From the verdict to the closed socket", ["isolations", "p50 ms", "p99 ms", "max ms"],
          [[len(taken_ms), percentile(taken_ms, 0.5), percentile(taken_ms, 0.99), max(taken_ms)]])
    return {"taken_ms": taken_ms}


# --- revoke

LARGE = 100_000  # certificates in the database
BULK = 10_000


def as_plant(*words, timeout_s=600):
    """A program run as the plant's user; what it printed."""
    with tempfile.TemporaryFile("w+") as out:
        process = account.spawn([str(word) for word in words], out)
        if process.wait(timeout_s) != 0:
            out.seek(0)
            raise RuntimeError(f"{words[0]} {words[1]}: {out.read()}")
        out.seek(0)
        return out.read()


def seconds_of(work, times):
    taken = []
    for _ in range(times):
        start = time.monotonic()
        work()
        taken.append(time.monotonic() - start)
    return taken


def revoke(options):
    plant = Plant(overlay=OVERLAY, up=("--database", options.database) if options.database else ()).start()
    try:
        plant.down()
        progress(f"revoke: {LARGE} devices and certificates")
        sessions, count = options.connections, options.revocations
        devices = sessions + 2 * count
        as_plant("revoke_bench", "prepare", "--home", plant.home, "--devices", devices, "--more", LARGE - devices)
        plant.start()
        plant.wait_log("broker", f"the state of {LARGE} devices is there")
        runs = {}
        for first, (name, words) in zip((0, count), (("REST call", []), ("`quoin device revoke`, its start included", ["--command"]))):
            progress(f"revoke: {count} of {sessions} live sessions by {name}")
            runs[name] = json.loads(as_plant("revoke_bench", "run", "--home", plant.home, "--port", plant.ports["mqtt"],
                                             "--sessions", sessions, "--first", first, "--revocations", count, *words))
        page = seconds_of(lambda: plant.rest.get("devices", limit=1000, after=f"bench-{LARGE // 2:06}"), 20)
        state = seconds_of(lambda: plant.rest.get("devices", limit=1000, state="revoked"), 20)
        show = seconds_of(lambda: plant.rest.get(f"devices/bench-{LARGE // 2:06}"), 50)
        batch = plant.folder / "batch"
        batch.write_text("".join(f"bench-{LARGE - 1 - i:06}\n" for i in range(BULK)))
        progress(f"revoke: {BULK} in bulk")
        bulk = seconds_of(lambda: quoin("device", "revoke", "--batch", batch, "--reason", "superseded", "--home", plant.home,
                                        timeout_s=600), 1)
        again = seconds_of(lambda: quoin("device", "revoke", "--batch", batch, "--reason", "superseded", "--home", plant.home,
                                         timeout_s=600), 1)
        after = plant.rest.call("POST", f"devices/bench-{LARGE // 2:06}/revoke", body='{"reason":"superseded","dry_run":true}')
        assert after["state_before"] == "active"
        late = seconds_of(lambda: plant.rest.call("POST", f"devices/bench-{LARGE // 2:06}/revoke",
                                                  body='{"reason":"superseded"}'), 1)
    finally:
        plant.close()
    plant.remove()
    table(f"From the command to the closed socket, {sessions} sessions live, {LARGE} certificates in the database",
          ["by", "revocations", "p50 ms", "p99 ms", "max ms", "answered p50 ms", "p99 ms"],
          [[name, len(run["closed_ms"]), *(f"{percentile(run['closed_ms'], share):.1f}" for share in (0.5, 0.99, 1)),
            *(f"{percentile(run['answered_ms'], share):.1f}" for share in (0.5, 0.99))] for name, run in runs.items()])
    table(f"{LARGE} certificates in the database", ["what", "median ms", "max ms"],
          [[name, f"{median(taken) * 1000:.1f}", f"{max(taken) * 1000:.1f}"] for name, taken in
           (("a page of 1000 devices from the middle", page), ("the first 1000 in a state", state),
            ("one device, by id", show), (f"{BULK} revoked in bulk (the command)", bulk), ("the same again", again),
            (f"one more revoked, then, with {BULK + 2 * count} on the list", late))])
    return {"runs": runs, "page_s": page, "state_s": state, "show_s": show, "bulk_s": bulk, "again_s": again, "late_s": late}


# --- memory

def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise RuntimeError(f"no Pss of process {pid}")


def memory(options):
    plant = Plant(overlay=OVERLAY).start()
    try:
        device = plant.add_device("mpu-1")
        device.wait_stored(20)
        agent = resident_kib(device.process.pid)
        quoind = resident_kib(plant.pid("quoind"))
        before = resident_kib(plant.pid("broker"))
        idle = subprocess.Popen(["quoin-sim-load", *map(str, access(plant)), "idle", plant.home, "--connections",
                                 str(options.connections)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        json.loads(idle.stdout.readline())
        after = resident_kib(plant.pid("broker"))
        idle.stdin.close()
        idle.wait(60)
    finally:
        plant.close()
    plant.remove()
    per_connection = (after - before) / options.connections
    table("Memory (proportional set size)", ["what", "KiB"],
          [["quoin-agent", agent], ["quoind", quoind], ["mosquitto with the plugin", before],
           [f"broker, each of {options.connections} idle connections", f"{per_connection:.1f}"]])
    return {"agent_kib": agent, "quoind_kib": quoind, "broker_kib": before, "connection_kib": per_connection}


# --- core/crypto

def crypto(options):
    return core_crypto.run(options, table, progress)


# --- TLS of an unmodified broker, and key stores

def tls(options):
    return tls_bench.run(options, progress)


# --- OCSP beside nginx

def ocsp(options):
    return ocsp_bench.run(options, table, progress)


# --- counters

def counters(options):
    done = subprocess.run(["counters_bench", str(options.rounds), os.getcwd()], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    rows = [("reserved increments", "increments_per_s"), ("fdatasync of a line, the same disk", "syncs_per_s"),
            ("durable reservations (file and folder)", "reservations_per_s")]
    ratio = median([ours / bare for ours, bare in zip(found["increments_per_s"], found["syncs_per_s"])])
    table("Counters, no anchor", ["what", "a second", "spread"],
          [[what, f"{median(found[name]):,.0f}", f"{spread(found[name]):.0%}"] for what, name in rows]
          + [["increments ÷ fdatasync (goal 50)", f"{ratio:,.0f}", ""]])
    table(f"A store of {found['counters']:,} counters", ["disk MB", "heap MB", "open ms", "write ms", "increments/s, each in turn"],
          [[f"{found['file_bytes'] / 1e6:.1f}", f"{found['heap_bytes'] / 1e6:.1f}", f"{found['open_ms']:.0f}",
            f"{found['write_ms']:.0f}", f"{found['increments_of_many_per_s']:,.0f}"]])
    return found


BENCHES = {"counters": counters, "crypto": crypto, "handshakes": handshakes, "enrolments": enrolments, "tls": tls, "telemetry": telemetry,
           "isolation": isolation, "revoke": revoke, "memory": memory, "ocsp": ocsp}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}; default: all")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--messages", type=int, default=60000, help="samples a round (default 60000)")
    parser.add_argument("--isolations", type=int, default=100)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--revocations", type=int, default=200, help="revoke: of each way (default 200)")
    parser.add_argument("--database", metavar="URL", help="revoke: another than SQLite")
    parser.add_argument("--write", action="store_true", help="tls: renew docs/tls.md, docs/tls.svg and the README's table")
    parser.add_argument("--json", metavar="FILE", help="keep the figures")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"no measurement is named {unknown[0]}; there are: {', '.join(BENCHES)}")
    figures = {name: BENCHES[name](options) for name in options.names or BENCHES}
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
