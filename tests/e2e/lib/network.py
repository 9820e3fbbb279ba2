"""A bad network between devices and the plant: sim/proxy."""

import json
import shutil
import socket
import subprocess

from .account import die_with_parent
from .seeds import new_seed

# Latency, jitter, loss and stalls: slow and bumpy, but nothing is cut.
BAD = ("--latency-ms", 40, "--jitter-ms", 30, "--loss", 0.02, "--loss-stall-ms", 250, "--stall", 0.003, "--stall-ms", 1500)
# And connections that end in the middle: for those who must connect again by themselves.
WORSE = (*BAD, "--reset", 0.0004)


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Proxy:
    def __init__(self, to, *faults, listen=0):
        self.seed = new_seed()
        self.process = subprocess.Popen(
            [shutil.which("quoin-sim-proxy"), "--to", str(to), "--listen", str(listen), "--seed", str(self.seed),
             *map(str, faults)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        self.port = json.loads(self.process.stdout.readline())["port"]

    def close(self):
        self.process.terminate()
        self.process.wait(10)
