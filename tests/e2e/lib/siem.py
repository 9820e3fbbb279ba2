"""A SIEM: a real rsyslog with a classical certificate of its own, as they are today."""

import pathlib
import shutil
import socket
import subprocess
import tempfile

from . import waiting

CONFIGURATION = """
global(workDirectory="{folder}" maxMessageSize="16k" defaultNetstreamDriver="ossl"
  defaultNetstreamDriverCAFile="{folder}/siem.crt" defaultNetstreamDriverCertFile="{folder}/siem.crt"
  defaultNetstreamDriverKeyFile="{folder}/siem.key")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="raw" type="string" string="%rawmsg%\\n")
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="siem")
ruleset(name="siem") {{ action(type="omfile" file="{folder}/received" template="raw" flushOnTXEnd="on") }}
"""


class Siem:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="quoin-siem-"))
        self.folder.chmod(0o755)  # the plant's user reads the certificate
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.certificate = self.folder / "siem.crt"
        self.make_certificate()
        (self.folder / "rsyslog.conf").write_text(CONFIGURATION.format(folder=self.folder, port=self.port))
        self.process = None

    def make_certificate(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
             "-subj", "/CN=siem", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "extendedKeyUsage=serverAuth",
             "-keyout", self.folder / "siem.key", "-out", self.certificate], check=True, capture_output=True)

    def settings(self):
        return (f'[audit.syslog]\nhost = "127.0.0.1"\nport = {self.port}\ntrust = "{self.certificate}"\n'
                "danger_classical_certificate = true\n")

    def start(self):
        with open(self.folder / "own.log", "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/rsyslogd", "-n", "-f", self.folder / "rsyslog.conf", "-i", self.folder / "pid"],
                stdout=log, stderr=log)
        waiting.until(self._is_listening, "rsyslog listens")

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
            (self.folder / "pid").unlink(missing_ok=True)

    def close(self):
        self.stop()
        shutil.rmtree(self.folder)

    def messages(self):
        received = self.folder / "received"
        return received.read_text().splitlines() if received.exists() else []

    def _is_listening(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
