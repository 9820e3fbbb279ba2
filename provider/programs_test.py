"""Unmodified programs with quoin.so loaded by OPENSSL_CONF alone, mutual TLS 1.3 with composite and ML-DSA certificates: curl
and nginx, mosquitto_pub, mosquitto_sub and Mosquitto. argv[1] is the path of quoin.so."""
import os
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

from openssl_test import configuration
from signatures_test import COMPOSITES, Plant

ALGORITHMS = (*COMPOSITES, "ML-DSA-44", "ML-DSA-65", "ML-DSA-87")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A program that has said that it listens."""
    def __init__(self, words, ready, environment):
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        env={**os.environ, **environment})
        self.said = b""
        for line in self.process.stdout:
            self.said += line
            if ready in line:
                return
        raise AssertionError(self.said.decode(errors="replace"))

    def stop(self):
        self.process.terminate()
        out, _ = self.process.communicate(timeout=20)
        self.said += out
        return self.said.decode(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()


class Programs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.ours = {"OPENSSL_CONF": configuration(cls.folder)}

    def at(self, name):
        return str(self.folder / name)

    def run_program(self, *words):
        done = subprocess.run(words, capture_output=True, check=False, timeout=30, env={**os.environ, **self.ours})
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")

    def plant(self, algorithm):
        plant = Plant(self.folder, algorithm, **self.ours)
        return plant, plant.issue("server", algorithm), plant.issue("client", algorithm)

    def damaged(self, plant):
        """A client's key and certificate with one half of the signature wrong."""
        certificate = self.at("damaged.pem")
        Path(certificate).write_bytes(plant.run("x509", "-inform", "DER", stdin=plant.damaged()["wrong Ed25519 half"]))
        return plant.at("sound.key"), certificate

    def nginx(self, plant, server):
        port = free_port()
        Path(self.at("nginx.conf")).write_text(f"""
daemon off; worker_processes 1; user root; pid {self.at("nginx.pid")}; error_log stderr info;
events {{}}
http {{
  access_log off;
  client_body_temp_path {self.at("body")}; proxy_temp_path {self.at("proxy")}; fastcgi_temp_path {self.at("fastcgi")};
  uwsgi_temp_path {self.at("uwsgi")}; scgi_temp_path {self.at("scgi")};
  server {{
    listen 127.0.0.1:{port} ssl; ssl_protocols TLSv1.3;
    ssl_certificate {server[1]}; ssl_certificate_key {server[0]};
    ssl_client_certificate {plant.at("ca.pem")}; ssl_verify_client on;
    location / {{ return 200 "$ssl_client_s_dn $ssl_client_verify"; }}
  }}
}}
""")
        return Server(["nginx", "-c", self.at("nginx.conf")], b"start worker process ", self.ours), port

    def curl(self, plant, port, client):
        return self.run_program("curl", "--silent", "--show-error", "--max-time", "20", "--cacert", plant.at("ca.pem"),
                                "--key", client[0], "--cert", client[1], f"https://localhost:{port}/")

    def test_curl_and_nginx__mutual__answered(self):
        for algorithm in ALGORITHMS:
            with self.subTest(algorithm=algorithm):
                plant, server, client = self.plant(algorithm)
                running, port = self.nginx(plant, server)
                with running:
                    self.assertEqual(self.curl(plant, port, client), (0, "CN=client SUCCESS"))

    def test_curl_and_nginx__damaged_certificate__refused_by_both(self):
        plant, server, client = self.plant(COMPOSITES[0])
        damaged = self.damaged(plant)
        running, port = self.nginx(plant, server)
        with running:
            self.assertNotIn("SUCCESS", self.curl(plant, port, damaged)[1])
            self.assertIn("provider signature failure", running.stop())
        running, port = self.nginx(plant, damaged)
        with running:
            code, said = self.curl(plant, port, client)
            self.assertNotEqual(code, 0)
            self.assertRegex(said, "certificate signature failure|provider signature failure")

    def mosquitto(self, plant, server):
        port = free_port()
        Path(self.at("mosquitto.conf")).write_text(f"""
listener {port} 127.0.0.1
user root
set_tcp_nodelay true
allow_anonymous false
require_certificate true
use_identity_as_username true
cafile {plant.at("ca.pem")}
certfile {server[1]}
keyfile {server[0]}
log_dest stderr
log_type all
""")
        return Server(["mosquitto", "-c", self.at("mosquitto.conf")], b" running", self.ours), port

    def mqtt(self, program, plant, port, client, *words):
        return self.run_program(program, "-h", "localhost", "-p", str(port), "--cafile", plant.at("ca.pem"), "--key",
                                client[0], "--cert", client[1], "-t", "a/topic", *words)

    def test_mosquitto__mutual__message_goes_through(self):
        for algorithm in ALGORITHMS:
            with self.subTest(algorithm=algorithm):
                plant, server, client = self.plant(algorithm)
                running, port = self.mosquitto(plant, server)
                with running:
                    code, said = self.mqtt("mosquitto_pub", plant, port, client, "-m", algorithm, "-r", "-q", "1")
                    self.assertEqual(code, 0, said)
                    self.assertEqual(self.mqtt("mosquitto_sub", plant, port, client, "-C", "1", "-W", "10"),
                                     (0, algorithm + "\n"))
                    self.assertIn("u'client'", running.stop())

    def test_mosquitto__damaged_certificate__refused_by_both(self):
        plant, server, client = self.plant(COMPOSITES[1])
        damaged = self.damaged(plant)
        for broker, device, reason in ((server, damaged, "certificate verify failed"), (damaged, client, "alert")):
            running, port = self.mosquitto(plant, broker)
            with running:
                code, said = self.mqtt("mosquitto_pub", plant, port, device, "-m", "x", "-q", "1")
                self.assertNotEqual(code, 0, said)
                self.assertIn(reason, running.stop())


if __name__ == "__main__":
    unittest.main()
