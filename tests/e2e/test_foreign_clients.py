"""Clients made by others: curl, openssl s_client, mosquitto_pub (in test_intruders)."""

import json
import socket
import subprocess

from lib import waiting


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


def test_curl__est_cacerts__is_the_chain_openssl_can_read(plant):
    done = curl(plant, "/.well-known/est/cacerts")
    assert done.returncode == 0, done.stderr
    body = plant.folder / "cacerts.p7"
    body.write_bytes(b"-----BEGIN PKCS7-----\n" + b"\n".join(done.stdout.split()) + b"\n-----END PKCS7-----\n")
    shown = subprocess.run(["openssl", "pkcs7", "-in", body, "-print_certs", "-noout"], capture_output=True, text=True)
    assert shown.stdout.count("subject=") == 2, shown


def test_curl__est_simpleenroll_by_hand__certificate_for_the_key(plant):
    """A device that is nothing but openssl and curl."""
    device = plant.add_device("mcu-9", "mcu", start=False)
    key, request = plant.folder / "own.key", plant.folder / "own.csr"
    subprocess.run(["openssl", "req", "-new", "-newkey", "MLDSA44-Ed25519", "-noenc", "-subj", "/CN=mcu-9", "-outform", "DER",
                    "-keyout", key, "-out", request], check=True, capture_output=True)
    encoded = subprocess.run(["openssl", "base64", "-in", request], check=True, capture_output=True).stdout
    arguments = ["--cert", device.folder / "birth.crt", "--key", device.clear_key(device.folder / "birth.key"),
                 "--header", "Content-Type: application/pkcs10", "--data-binary", encoded]
    done = curl(plant, "/.well-known/est/simpleenroll", *arguments)
    assert done.returncode == 0, done.stderr
    body = plant.folder / "own.p7"
    body.write_bytes(b"-----BEGIN PKCS7-----\n" + b"\n".join(done.stdout.split()) + b"\n-----END PKCS7-----\n")
    shown = subprocess.run(["openssl", "pkcs7", "-in", body, "-print_certs", "-text"], capture_output=True, text=True).stdout
    assert "CN=mcu-9" in shown or "CN = mcu-9" in shown, shown
    assert "quoin://e2e/device/mcu-9" in shown and "id-MLDSA44-Ed25519-SHA512" in shown
    # Another's name in the request: refused.
    subprocess.run(["openssl", "req", "-new", "-key", key, "-subj", "/CN=mcu-8", "-outform", "DER", "-out", request],
                   check=True, capture_output=True)
    arguments[-1] = subprocess.run(["openssl", "base64", "-in", request], check=True, capture_output=True).stdout
    done = curl(plant, "/.well-known/est/simpleenroll", *arguments, "--write-out", "%{http_code}")
    assert done.stdout[-3:] in (b"400", b"403"), done


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
