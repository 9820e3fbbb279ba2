"""Holds many MQTT sessions of one service: a program, because OpenSSL reads OPENSSL_CONF when a process starts.

usage: mqtt_sessions.py PORT ROOT CERTIFICATE KEY FILTER LIVE STORED

Says a line of JSON after each of these, and waits for a line on its standard input in between:
1. LIVE sessions are open; STORED ones have subscribed to FILTER and are away.
2. How many of the LIVE ones answer a ping on the connection that they had; how many of the STORED ones were still there
   when they came back, and had got a message meanwhile."""

import concurrent.futures
import json
import resource
import socket
import ssl
import sys

PARALLEL = 8


def packet(kind, body):
    length, size = b"", len(body)
    while True:
        size, low = divmod(size, 128)
        length += bytes([low | (128 if size else 0)])
        if not size:
            return bytes([kind]) + length + body


def text(value):
    return len(value).to_bytes(2, "big") + value.encode()


class Session:
    def __init__(self, context, port, name, clean):
        plain = socket.create_connection(("127.0.0.1", port), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.link = context.wrap_socket(plain, server_hostname="127.0.0.1")
        self.link.sendall(packet(0x10, text("MQTT") + bytes([4, 2 if clean else 0]) + (600).to_bytes(2, "big") + text(name)))
        kind, body = self.read()
        if kind != 0x20 or body[1] != 0:
            raise RuntimeError(f"{name}: the broker refused: {kind} {body!r}")
        self.was_there = bool(body[0] & 1)

    def read(self):
        kind, size, shift = self.exactly(1)[0], 0, 0
        while True:
            low = self.exactly(1)[0]
            size |= (low & 127) << shift
            shift += 7
            if not low & 128:
                return kind, self.exactly(size)

    def exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.link.recv(size - len(data))
            if not more:
                raise ConnectionError("the broker closed the connection")
            data += more
        return data

    def subscribe(self, topic):
        self.link.sendall(packet(0x82, b"\0\1" + text(topic) + b"\1"))
        kind, body = self.read()
        if kind != 0x90 or body[2] > 2:
            raise RuntimeError(f"cannot subscribe: {kind} {body!r}")

    def leave(self):
        self.link.sendall(packet(0xE0, b""))
        self.link.close()

    def is_alive(self):
        try:
            self.link.sendall(packet(0xC0, b""))
            return self.read()[0] == 0xD0
        except OSError:
            return False

    def has_message(self):
        try:
            return self.read()[0] & 0xF0 == 0x30
        except OSError:
            return False


def main():
    port, root, certificate, key, topic, live, stored = sys.argv[1:]
    port, live, stored = int(port), int(live), int(stored)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(root)
    context.load_cert_chain(certificate, key)

    def store(number):
        session = Session(context, port, f"service.telemetry-stored{number}", clean=False)
        session.subscribe(topic)
        session.leave()

    def come_back(number):
        session = Session(context, port, f"service.telemetry-stored{number}", clean=False)
        return session.was_there and session.has_message()

    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        sessions = list(pool.map(lambda n: Session(context, port, f"service.telemetry-live{n}", clean=True), range(live)))
        list(pool.map(store, range(stored)))
        print(json.dumps({"live": len(sessions), "stored": stored}), flush=True)
        sys.stdin.readline()
        alive = sum(pool.map(Session.is_alive, sessions))
        back = sum(pool.map(come_back, range(stored)))
        print(json.dumps({"live": alive, "stored": back}), flush=True)
    sys.stdin.readline()


main()
