"""./dev bench ocsp: quoind's OCSP responder beside nginx that serves the same bytes, and beside bare signatures.

Servers run on one processor, the load (and the bare signatures) on the other where there are two; each round runs all of
them, one after the other."""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile

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


def free_port():
    from lib.network import free_ports
    return free_ports(1)[0]


class Servers:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="quoin-bench-"))
        self.folder.chmod(0o755)

    def __enter__(self):
        self.ours = subprocess.Popen(["ocsp_bench", "serve", self.folder], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True, preexec_fn=on(SERVER))
        self.our_port = json.loads(self.ours.stdout.readline())["port"]
        self.nginx_port = free_port()
        configuration = self.folder / "nginx.conf"
        configuration.write_text(NGINX.format(folder=self.folder, port=self.nginx_port))
        self.nginx = subprocess.Popen(["nginx", "-c", configuration, "-e", self.folder / "nginx.log"],
                                      preexec_fn=on(SERVER))
        from lib import waiting
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


def one_round(servers, seconds):
    ahead = ("--body", servers.folder / "ahead.request", "--seconds", seconds)
    live = ("--body", servers.folder / "live.request", "--seconds", seconds)
    get = ("--method", "GET", "--seconds", seconds)
    sign = subprocess.run(["ocsp_bench", "sign", "--seconds", str(seconds)], capture_output=True, text=True, check=True,
                          preexec_fn=on(CLIENT))
    return {"ahead": servers.load(servers.our_port, *ahead),
            "nginx": servers.load(servers.nginx_port, *get),
            "ahead, new connections": servers.load(servers.our_port, *ahead, "--fresh"),
            "nginx, new connections": servers.load(servers.nginx_port, *get, "--fresh"),
            "live": servers.load(servers.our_port, *live),
            "signatures": json.loads(sign.stdout)["per_s"]}


def run(options, table, progress):
    rounds = []
    with Servers() as servers:
        size = (servers.folder / "ahead.response").stat().st_size
        for number in range(options.rounds):
            progress(f"ocsp: round {number + 1} of {options.rounds}")
            rounds.append(one_round(servers, 3))

    def row(what, name, over=None):
        values = [one[name] for one in rounds]
        middle = statistics.median(values)
        ratio = f"{statistics.median([one[name] / one[over] for one in rounds]):.2f}" if over else ""
        return [what, f"{middle:,.0f}", f"{(max(values) - min(values)) / middle:.0%}", ratio]

    table(f"OCSP: answers of {size:,} bytes, a server on one processor", ["what", "answers/s", "spread", "ratio"],
          [row("signed ahead, keep-alive (goal 50,000); ÷ nginx", "ahead", "nginx"),
           row("nginx, the same bytes", "nginx"),
           row("signed ahead, new connections; ÷ nginx (goal 0.7)", "ahead, new connections", "nginx, new connections"),
           row("nginx, new connections", "nginx, new connections"),
           row("live, with a nonce; ÷ bare signatures (goal 0.5)", "live", "signatures"),
           row("bare ML-DSA-65 signatures", "signatures")])
    return rounds
