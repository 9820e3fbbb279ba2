"""A bad network between devices and the plant: sim/proxy."""

import json
import shutil
import socket
import subprocess

from .account import die_with_parent


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Proxy:
    def __init__(self, to, *faults, listen=0):
        self.process = subprocess.Popen(
            [shutil.which("quoin-sim-proxy"), "--to", str(to), "--listen", str(listen), *map(str, faults)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        self.port = json.loads(self.process.stdout.readline())["port"]

    def close(self):
        self.process.terminate()
        self.process.wait(10)
