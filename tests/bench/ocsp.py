"""./dev bench ocsp: quoind's OCSP responder beside nginx that serves the same bytes, and beside bare signatures.

Servers run on one processor, the load (and the bare signatures) on the other where there are two; each round runs all of
them, one after the other. Where others use the machine too, only the answers per core-second of the server say something."""

import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import tempfile

from lib import waiting
from lib.network import free_ports

PROCESSORS = sorted(os.sched_getaffinity(0))
SERVER, CLIENT = PROCESSORS[0], PROCESSORS[-1]

NGINX = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nodelay on;
    open_file_cache max=10 inactive=600s;
    keepalive_requests 1000000000;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /ocsp {{ default_type application/ocsp-response; alias {folder}/ahead.response; }}
    }}
}}
"""


def on(processor):
    return lambda: os.sched_setaffinity(0, {processor})


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Servers:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="quoin-bench-"))
        self.folder.chmod(0o755)

    def __enter__(self):
        self.ours = subprocess.Popen(["ocsp_bench", "serve", self.folder], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True, preexec_fn=on(SERVER))
        self.our_port = json.loads(self.ours.stdout.readline())["port"]
        self.nginx_port = free_ports(1)[0]
        configuration = self.folder / "nginx.conf"
        configuration.write_text(NGINX.format(folder=self.folder, port=self.nginx_port))
        self.nginx = subprocess.Popen(["nginx", "-c", configuration, "-e", self.folder / "nginx.log"],
                                      preexec_fn=on(SERVER))
        waiting.until(lambda: self.load(self.nginx_port, "--method", "GET", "--seconds", 0.1, check=False),
                      "nginx answers")
        return self

    def load(self, port, *arguments, check=True):
        done = subprocess.run(["ocsp_bench", "load", "--port", str(port), *map(str, arguments)], capture_output=True,
                              text=True, preexec_fn=on(CLIENT), timeout=120)
        if done.returncode != 0:
            if check:
                raise RuntimeError(f"ocsp_bench load {arguments}: {done.stderr}")
            return None
        return json.loads(done.stdout)["per_s"]

    def __exit__(self, *_):
        self.ours.stdin.close()
        self.ours.wait(20)
        self.nginx.terminate()
        self.nginx.wait(20)
        shutil.rmtree(self.folder)


def rate(process, measure, seconds):
    before = cpu_s(process.pid)
    per_s = measure()
    return {"per_s": per_s, "per_core_s": per_s * seconds / max(0.01, cpu_s(process.pid) - before)}


def sign(seconds):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(["ocsp_bench", "sign", "--seconds", str(seconds)], capture_output=True, text=True, check=True,
                          preexec_fn=on(CLIENT))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    per_s = json.loads(done.stdout)["per_s"]
    return {"per_s": per_s, "per_core_s": per_s * seconds / max(0.01, used)}


def agent_check(servers):
    done = subprocess.run(["ocsp_bench", "check", servers.folder, "--port", str(servers.our_port)], capture_output=True,
                          text=True, check=True, timeout=120)
    return json.loads(done.stdout)


def one_round(servers, seconds):
    ahead = ("--body", servers.folder / "ahead.request", "--seconds", seconds)
    live = ("--body", servers.folder / "live.request", "--seconds", seconds)
    get = ("--method", "GET", "--seconds", seconds)

    def ours(*arguments):
        return rate(servers.ours, lambda: servers.load(servers.our_port, *arguments), seconds)

    def nginx(*arguments):
        return rate(servers.nginx, lambda: servers.load(servers.nginx_port, *arguments), seconds)

    return {"ahead": ours(*ahead), "nginx": nginx(*get), "ahead, new connections": ours(*ahead, "--fresh"),
            "nginx, new connections": nginx(*get, "--fresh"), "live": ours(*live), "signatures": sign(seconds),
            "check": agent_check(servers)}


def run(options, table, progress):
    rounds = []
    with Servers() as servers:
        size = (servers.folder / "ahead.response").stat().st_size
        for number in range(options.rounds):
            progress(f"ocsp: round {number + 1} of {options.rounds}")
            rounds.append(one_round(servers, 3))

    def column(name, over, kind):
        values = [one[name][kind] for one in rounds]
        middle = statistics.median(values)
        ratio = f"{statistics.median([one[name][kind] / one[over][kind] for one in rounds]):.2f}" if over else ""
        return [f"{middle:,.0f}", f"{(max(values) - min(values)) / middle:.0%}", ratio]

    def row(what, name, over=None):
        return [what, *column(name, over, "per_s"), *column(name, over, "per_core_s")]

    table(f"OCSP: answers of {size:,} bytes, a server on one processor",
          ["what", "answers/s", "spread", "ratio", "per core-second", "spread", "ratio"],
          [row("signed ahead, keep-alive (goal 50,000); ÷ nginx", "ahead", "nginx"),
           row("nginx, the same bytes", "nginx"),
           row("signed ahead, new connections; ÷ nginx (goal 0.7)", "ahead, new connections", "nginx, new connections"),
           row("nginx, new connections", "nginx, new connections"),
           row("live, with a nonce; ÷ bare signatures (goal 0.5)", "live", "signatures"),
           row("bare ML-DSA-65 signatures", "signatures")])
    table("What an agent's status check adds to its first connection, loopback, nothing else running",
          ["", "p50 ms", "p99 ms"],
          [["1,000 checks, a new connection and a nonce each",
            *(f"{statistics.median(one['check'][key] for one in rounds):.2f}" for key in ("p50_ms", "p99_ms"))]])
    return rounds
