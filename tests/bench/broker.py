"""An unmodified Mosquitto to measure, and the client that connects to it (mqtt_connect_bench)."""
import dataclasses
import json
import os
import signal
import socket
import subprocess
import time

from chains import PROVIDERS, provider
from lib import waiting
from lib.account import die_with_parent

PROCESSORS = sorted(os.sched_getaffinity(0))
BROKERS, CLIENTS = ["taskset", "-c", str(PROCESSORS[-1])], ["taskset", "-c", str(PROCESSORS[0])]


@dataclasses.dataclass(frozen=True)
class Settings:
    """What Mosquitto is told beside its listener and certificates; as it stands, what host/tls tells it for a plant."""
    name: str = "configured"
    tls: bool = True
    provider: bool = True      # quoin.so before OpenSSL's own code
    nodelay: bool = True       # set_tcp_nodelay
    tickets: int = 0           # NumTickets
    stateful: bool = False     # tickets name a session that the broker remembers
    as_openssl: bool = False   # OpenSSL's own list of signatures, and its compression of certificates; cafile: the root alone

    def openssl_conf(self, suite):
        text = PROVIDERS.format(module=provider()) if self.provider else "openssl_conf = main\n[main]\nssl_conf = programs\n"
        text += ("[programs]\nsystem_default = policy\n[policy]\nMinProtocol = TLSv1.3\n"
                 f"Groups = {suite.group}\nNumTickets = {self.tickets}\n")
        options = ["-SessionTicket"] if self.stateful or not self.tickets else []
        if not self.as_openssl:
            options += ["-TxCertificateCompression", "-RxCertificateCompression"]
            text += f"SignatureAlgorithms = {suite.schemes}\nClientSignatureAlgorithms = {suite.schemes}\n"
        return text + (f"Options = {','.join(options)}\n" if options else "")


def with_defaults(uses_provider):
    """Mosquitto and OpenSSL as they are, but for the group."""
    return Settings("defaults", provider=uses_provider, nodelay=False, tickets=2, as_openssl=True)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Broker:
    def __init__(self, chain, settings, key=None, certificate=None, helpers=()):
        self.chain, self.settings, self.port = chain, settings, free_port()
        self.helpers = list(helpers)  # processes that work for it
        base = chain.at(f"broker-{self.port}")
        conf = base.with_suffix(".cnf")
        conf.write_text(settings.openssl_conf(chain.suite))
        base.with_suffix(".conf").write_text(f"""listener {self.port} 127.0.0.1
user root
set_tcp_nodelay {str(settings.nodelay).lower()}
{self._tls(key, certificate) if settings.tls else "allow_anonymous true"}
log_dest stderr
log_type error
log_type warning
max_queued_messages 0
""")
        self.log = base.with_suffix(".log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*BROKERS, "mosquitto", "-c", base.with_suffix(".conf")], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, "OPENSSL_CONF": str(conf)}, preexec_fn=die_with_parent)
        try:
            waiting.until(self._ready, "mosquitto listens")
            maps = open(f"/proc/{self.process.pid}/maps", encoding="ascii").read()
            if ("/quoin.so" in maps) != settings.provider:
                raise RuntimeError("mosquitto has not the provider that it is measured with")
        except BaseException:
            self.close()
            raise

    def _tls(self, key, certificate):
        chain = self.chain
        known = chain.at("root.pem" if self.settings.as_openssl else "known.pem")
        return f"""allow_anonymous false
require_certificate true
use_identity_as_username true
cafile {known}
certfile {certificate or chain.at("server.pem")}
keyfile {key or chain.at("server.key")}"""

    def _ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"mosquitto ended: {self.log.read_text()}")
        return listens(self.port)

    def connect(self, connections, parallel=1, resume=False):
        """What mqtt_connect_bench saw of that many connections."""
        chain = self.chain
        words = [*CLIENTS, "mqtt_connect_bench", "--port", str(self.port), "--connections", str(connections),
                 "--parallel", str(parallel), *(["--resume"] if resume else [])]
        words += ["--root", chain.at("root.pem"), "--certificates", chain.at("client.pem"), "--key", chain.at("client.key"),
                  "--group", chain.suite.group] if self.settings.tls else ["--plain"]
        for pid in [self.process.pid, *self.helpers]:
            words += ["--pid", str(pid)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False,
                              env={**os.environ, "OPENSSL_CONF": str(chain.settings)})
        if done.returncode != 0:
            raise RuntimeError(f"{chain.suite.name}, {self.settings.name}: {done.stderr}{self.log.read_text()}")
        return json.loads(done.stdout)

    def forward(self, messages):
        """Passes so many QoS 1 messages from one client to another: the broker's processor time in ns, and seconds."""
        chain = self.chain
        common = ["-h", "localhost", "-p", str(self.port), "--cafile", chain.at("root.pem"), "--key", chain.at("client.key"),
                  "--cert", chain.at("client.pem"), "-t", "bench", "-q", "1"]
        environment = {**os.environ, "OPENSSL_CONF": str(chain.settings)}
        subscribe = [*CLIENTS, "mosquitto_sub", *common, "-i", "bench-sub", "-c"]
        # Subscribed before the first message comes, whenever the subscriber itself is there.
        subprocess.run([*subscribe, "-E"], check=True, timeout=20, env=environment)
        before, start = self._processor_ns(), time.monotonic()
        with subprocess.Popen([*subscribe, "-C", str(messages)], stdout=subprocess.DEVNULL, env=environment,
                              preexec_fn=die_with_parent) as subscriber:
            subprocess.run([*CLIENTS, "mosquitto_pub", *common, "-i", "bench-pub", "-l"], input="21.5\n" * messages, check=True,
                           timeout=60, env=environment, text=True)
            if subscriber.wait(30) != 0:
                raise RuntimeError("mosquitto_sub got not all messages")
        return self._processor_ns() - before, time.monotonic() - start

    def _processor_ns(self):
        with open(f"/proc/{self.process.pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0])

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
