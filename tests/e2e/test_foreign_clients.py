"""Clients made by others: curl, openssl s_client, mosquitto_pub (in test_intruders)."""

import base64
import json
import socket
import subprocess

from lib import background, waiting
from lib.plant import OVERLAY, quoin, running_plant


def curl(plant, path, *arguments):
    return subprocess.run(["curl", "--silent", "--show-error", "--max-time", "20", "--tlsv1.3", "--cacert", plant.home / "pki/root.crt",
                           *arguments, f"https://127.0.0.1:{plant.ports['https']}{path}"], capture_output=True, timeout=30)


def operator_key(plant):
    out = plant.folder / "admin.key"
    subprocess.run(["openssl", "pkey", "-in", plant.home / "operator/admin.key", "-passin",
                    f"file:{plant.home}/unlock.key", "-out", out], check=True, capture_output=True)
    return out


def s_client(plant, port, *arguments):
    return subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", plant.home / "pki/root.crt",
         "-verify_return_error", *arguments], input="", capture_output=True, text=True, timeout=30)


def test_curl__rest_with_operator_certificate__answers(plant):
    done = curl(plant, "/api/v1/status", "--cert", plant.home / "operator/admin.crt", "--key", operator_key(plant))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["site"] == "e2e"


def test_curl__rest_without_certificate__refused_as_problem(plant):
    done = curl(plant, "/api/v1/status", "--write-out", "%{http_code}")
    assert done.stdout.endswith(b"401"), done
    assert b"detail" in done.stdout


def test_curl__rest_with_device_certificate__refused(plant):
    device = plant.add_device("mcu-1", "mcu")
    device.wait_stored(1)
    done = curl(plant, "/api/v1/devices", "--cert", device.identity / "device.crt", "--key", device.clear_key(),
                "--write-out", "%{http_code}")
    assert done.stdout[-3:] in (b"401", b"403"), done


def armoured(plant, body, name):
    """A certs-only answer, as `openssl pkcs7` reads it."""
    out = plant.folder / f"{name}.p7"
    out.write_bytes(b"-----BEGIN PKCS7-----\n" + b"\n".join(body.split()) + b"\n-----END PKCS7-----\n")
    return out


def base64_of(file):
    return subprocess.run(["openssl", "base64", "-in", file], check=True, capture_output=True).stdout


def test_curl__est_cacerts__is_the_chain_openssl_can_read(plant):
    done = curl(plant, "/.well-known/est/cacerts")
    assert done.returncode == 0, done.stderr
    shown = subprocess.run(["openssl", "pkcs7", "-in", armoured(plant, done.stdout, "cacerts"), "-print_certs", "-noout"],
                           capture_output=True, text=True)
    assert shown.stdout.count("subject=") == 2, shown


class ByHand:
    """A device that is nothing but openssl and curl."""

    def __init__(self, plant, name):
        self.plant, self.name = plant, name
        self.device = plant.add_device(name, "mcu", start=False, foreign=True)
        self.key, self.request = plant.folder / "own.key", plant.folder / "own.csr"
        self.certificate = plant.folder / "own.crt"
        self.birth = ("--cert", self.device.folder / "birth.crt", "--key", self.device.clear_key(self.device.folder / "birth.key"))

    def make_request(self, key, subject=None, algorithm="MLDSA44-Ed25519"):
        new = ["-newkey", algorithm, "-noenc", "-keyout", key] if algorithm else ["-key", key]
        subprocess.run(["openssl", "req", "-new", *new, "-subj", f"/CN={subject or self.name}", "-outform", "DER",
                        "-out", self.request], check=True, capture_output=True)

    def ask(self, call="simpleenroll", shown=None):
        """(status, headers, body) for the present request."""
        headers = self.plant.folder / "headers"
        done = curl(self.plant, f"/.well-known/est/{call}", *(shown or self.birth), "--dump-header", headers,
                    "--header", "Content-Type: application/pkcs10", "--data-binary", base64_of(self.request))
        assert done.returncode == 0, done.stderr
        lines = headers.read_text().lower().splitlines()
        return int(lines[0].split()[1]), lines[1:], done.stdout

    def take(self, body):
        """Keeps the certificate, and returns it as text."""
        shown = subprocess.run(["openssl", "pkcs7", "-in", armoured(self.plant, body, "own"), "-print_certs"],
                               check=True, capture_output=True, text=True).stdout
        self.certificate.write_text(shown)
        return subprocess.run(["openssl", "x509", "-in", self.certificate, "-noout", "-text"], check=True,
                              capture_output=True, text=True).stdout


def test_curl__est_csrattrs__tells_the_key_algorithm(plant):
    device = ByHand(plant, "mcu-9")
    done = curl(plant, "/.well-known/est/csrattrs", *device.birth, "--dump-header", "-")
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    assert b"200" in head.splitlines()[0] and b"application/csrattrs" in head, done
    attributes = plant.folder / "csrattrs.b64"
    attributes.write_bytes(body)
    shown = subprocess.run(["openssl", "asn1parse", "-in", attributes, "-inform", "B64"], capture_output=True, text=True).stdout
    assert shown.count("OBJECT") == 1 and ("1.3.6.1.5.5.7.6.39" in shown or "MLDSA44-Ed25519" in shown), shown
    # Without a certificate: what devices of either class need, bound to the connection.
    attributes.write_bytes(curl(plant, "/.well-known/est/csrattrs").stdout)
    shown = subprocess.run(["openssl", "asn1parse", "-in", attributes, "-inform", "B64"], capture_output=True, text=True).stdout
    assert shown.count("OBJECT") == 4 and "challengePassword" in shown, shown


def test_curl__est_enrol_and_reenrol_by_hand__certificates_for_the_keys(plant):
    device = ByHand(plant, "mcu-9")
    device.make_request(device.key)
    status, _, body = device.ask()
    assert status == 200, body
    shown = device.take(body)
    assert "CN=mcu-9" in shown or "CN = mcu-9" in shown, shown
    assert "quoin://e2e/device/mcu-9" in shown and "id-MLDSA44-Ed25519-SHA512" in shown
    # The same again, as after an answer that was lost: the same certificate.
    status, _, body = device.ask()
    assert status == 200 and device.take(body) == shown
    chain = plant.folder / "chain.crt"
    chain.write_text(device.certificate.read_text() + (plant.home / "pki/issuing.crt").read_text())
    own = ("--cert", chain, "--key", device.key)
    # Renewal: for the same key no, for a new one yes.
    status, _, body = device.ask("simplereenroll", own)
    assert status == 403 and b"new one" in body, body
    device.make_request(plant.folder / "next.key")
    status, _, body = device.ask("simplereenroll", own)
    assert status == 200, body
    assert "quoin://e2e/device/mcu-9" in device.take(body)
    # Another's name in the request, and another class's key: refused.
    device.make_request(device.key, "mcu-8", None)
    assert device.ask()[0] == 403
    device.make_request(plant.folder / "other.key", algorithm="MLDSA65-Ed25519")
    assert device.ask()[0] == 403


@background.scenario
def test_curl__est_request_that_an_operator_approves__202_then_the_certificate():
    with running_plant(OVERLAY + '[ra]\nfirst = "manual"\nretry_after_s = 2\n') as plant:
        device = ByHand(plant, "mcu-9")
        device.make_request(device.key)
        for _ in range(2):
            status, headers, body = device.ask()
            assert status == 202 and "retry-after: 2" in headers, (status, headers, body)
        waiting_now = json.loads(quoin("enrolment", "list", "--json", "--home", plant.home).stdout)["enrolments"]
        assert [(one["device"], one["state"]) for one in waiting_now] == [("mcu-9", "pending")]
        quoin("enrolment", "approve", waiting_now[0]["enrolment"], "--home", plant.home)
        status, _, body = device.ask()
        assert status == 200 and "quoin://e2e/device/mcu-9" in device.take(body)
        # Our agent waits, too, with both of its keys, and goes on by itself.
        agent = plant.add_device("mpu-1")
        waiting.until(lambda: "enrol_pending" in agent.log.read_text(), "the agent waits")
        pending = json.loads(quoin("enrolment", "list", "--json", "--home", plant.home).stdout)["enrolments"]
        assert sorted(one["kind"] for one in pending) == ["attest", "device"]
        assert all(one["key_sha256"] in agent.log.read_text() for one in pending)
        # It asks for the same keys after a crash: the operator sees no other requests.
        agent.kill()
        assert "ENCRYPTED PRIVATE KEY" in (agent.folder / "identity/asked/device.key").read_text()
        size = agent.log.stat().st_size
        agent.start()
        waiting.until(lambda: "enrol_pending" in agent.log.read_text()[size:], "the agent waits again")
        assert pending == json.loads(quoin("enrolment", "list", "--json", "--home", plant.home).stdout)["enrolments"]
        quoin("enrolment", "approve", *[one["enrolment"] for one in pending], "--home", plant.home)
        agent.wait_stored(1)
        assert not (agent.folder / "identity/asked").exists()
        issued = json.loads(quoin("enrolment", "list", "--state", "issued", "--json", "--home", plant.home).stdout)["enrolments"]
        assert {one["enrolment"] for one in pending} <= {one["enrolment"] for one in issued}, "for the same keys"
        # Another one is refused, and told so.
        other = plant.add_device("mcu-2", "mcu")
        waiting.until(lambda: "enrol_pending" in other.log.read_text(), "the agent waits")
        [number] = [one["enrolment"] for one in json.loads(
            quoin("enrolment", "list", "--json", "--home", plant.home).stdout)["enrolments"] if one["device"] == "mcu-2"]
        quoin("enrolment", "refuse", number, "--reason", "unknown board", "--home", plant.home)
        waiting.until(lambda: "unknown board" in other.log.read_text(), "the agent is told")


def test_s_client__request_bound_to_the_connection__accepted_there_only(plant):
    """RFC 9266 by the openssl program: -keymatexport."""
    device = plant.add_device("mcu-9", "mcu", start=False)
    birth, key = device.folder / "birth.crt", device.clear_key(device.folder / "birth.key")

    def ask(binding=None):
        link = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{plant.ports['https']}", "-CAfile", plant.home / "pki/root.crt",
             "-cert", birth, "-key", key, "-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32",
             "-nocommands", "-ign_eof"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            exported = None
            for line in link.stdout:
                if b"Keying material: " in line:
                    exported = base64.b64encode(bytes.fromhex(line.split()[-1].decode())).decode()
                    break
            assert exported, "openssl exported it"
            configuration = plant.folder / "req.cnf"
            configuration.write_text("[req]\nprompt = no\ndistinguished_name = dn\nattributes = more\n[dn]\nCN = mcu-9\n"
                                     f"[more]\nchallengePassword = {binding or exported}\n")
            request = plant.folder / "bound.csr"
            subprocess.run(["openssl", "req", "-new", "-newkey", "MLDSA44-Ed25519", "-noenc", "-config", configuration,
                            "-keyout", plant.folder / "bound.key", "-outform", "DER", "-out", request],
                           check=True, capture_output=True)
            body = base64_of(request)
            link.stdin.write(b"POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                             b"Content-Type: application/pkcs10\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            link.stdin.flush()
            answer = link.stdout.read().partition(b"HTTP/1.1 ")[2]
            return int(answer[:3]), exported, answer
        finally:
            link.kill()
            link.wait()

    status, exported, answer = ask()
    assert status == 200, answer
    status, _, answer = ask(exported)
    assert status == 403 and b"another TLS connection" in answer, answer


def test_curl__health_and_metrics__in_clear_on_loopback(plant):
    def get(path):
        return subprocess.run(["curl", "--silent", "--fail", f"http://127.0.0.1:{plant.ports['http']}{path}"],
                              capture_output=True, text=True, timeout=30)
    assert get("/livez").returncode == 0
    assert get("/readyz").returncode == 0
    assert "# TYPE" in get("/metrics").stdout
    crl = plant.folder / "crl.pem"
    crl.write_text(get("/crl.pem").stdout)
    in_der = subprocess.run(["openssl", "crl", "-in", crl, "-outform", "DER"], check=True, capture_output=True).stdout
    assert subprocess.run(["curl", "--silent", f"http://127.0.0.1:{plant.ports['http']}/issuing.crl"],
                          capture_output=True).stdout == in_der
    checked = subprocess.run(["openssl", "crl", "-in", crl, "-noout", "-text", "-CAfile", plant.home / "pki/issuing.crt"],
                             capture_output=True, text=True)
    assert "id-MLDSA65-Ed25519-SHA512" in checked.stdout and "verify OK" in checked.stderr + checked.stdout, checked


def test_s_client__hybrid_group__accepted_with_composite(plant):
    for port in (plant.ports["mqtt"], plant.ports["https"]):
        done = s_client(plant, port, "-groups", "X25519MLKEM768")
        assert "X25519MLKEM768" in done.stdout and "mldsa65_ed25519" in done.stdout, done.stdout
        assert "Verify return code: 0 (ok)" in done.stdout


def test_s_client__only_x25519__refused(plant):
    for port in (plant.ports["mqtt"], plant.ports["https"]):
        done = s_client(plant, port, "-groups", "X25519")
        assert done.returncode != 0
        assert "handshake failure" in done.stderr, done.stderr


def test_s_client__tls_1_2__refused(plant):
    for port in (plant.ports["mqtt"], plant.ports["https"]):
        assert s_client(plant, port, "-tls1_2").returncode != 0


def test_s_client__chain__is_leaf_and_issuing_never_root(plant):
    for port in (plant.ports["mqtt"], plant.ports["https"]):
        done = s_client(plant, port, "-showcerts")
        assert done.stdout.count("BEGIN CERTIFICATE") == 2, done.stdout


def test_bytes_that_are_no_tls__neither_port_dies(plant):
    for name in ("mqtt", "https", "http"):
        for garbage in (b"\x00" * 4096, b"GET / HTTP/1.1\r\n" + b"A: " + b"x" * 100_000, b"\x16\x03\x01\xff\xff" + b"\xff" * 70000):
            with socket.create_connection(("127.0.0.1", plant.ports[name]), timeout=5) as link:
                try:
                    link.sendall(garbage)
                    link.settimeout(0.5)
                    link.recv(100)
                except OSError:
                    pass  # cut off: as it should be
    waiting.until(lambda: plant.rest.get("status")["broker_connected"], "all is well")
    device = plant.add_device("mcu-1", "mcu")
    device.wait_stored(1)
