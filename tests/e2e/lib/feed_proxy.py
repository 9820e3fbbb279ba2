"""Between the plugin and quoind: feed_proxy.py FOLDER, whose run/broker.sock it takes. Run as the plant's user.

It keeps what quoind says to the last connection in FOLDER/run/heard. When FOLDER/run/inject is there, the plugin gets its line once, and the file
goes; while FOLDER/run/replay is there, the plugin gets that instead of quoind.
"""

import os
import pathlib
import selectors
import socket
import sys


class Proxy:
    def __init__(self, run):
        self.run = run
        self.upstream = run / "quoind-feed.sock"
        os.rename(run / "broker.sock", self.upstream)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(run / "broker.sock"))
        self.listener.listen(8)

    def serve(self):
        while True:
            plugin, _ = self.listener.accept()
            replay = self.run / "replay"
            try:
                if replay.exists():
                    plugin.sendall(replay.read_bytes())
                    while plugin.recv(65536):
                        pass
                else:
                    self.forward(plugin)
            except OSError:
                pass
            plugin.close()

    def forward(self, plugin):
        quoind = socket.socket(socket.AF_UNIX)
        quoind.connect(str(self.upstream))
        inject = self.run / "inject"
        with selectors.DefaultSelector() as events, open(self.run / "heard", "wb", buffering=0) as heard, quoind:
            events.register(plugin, selectors.EVENT_READ, quoind)
            events.register(quoind, selectors.EVENT_READ, plugin)
            while True:
                for key, _ in events.select(0.05):
                    data = key.fileobj.recv(65536)
                    if not data:
                        return
                    if key.fileobj is quoind:
                        heard.write(data)
                    key.data.sendall(data)
                if inject.exists():
                    line = inject.read_bytes()
                    inject.unlink()
                    plugin.sendall(line)


if __name__ == "__main__":
    Proxy(pathlib.Path(sys.argv[1]) / "run").serve()
