"""Writes the headers of this folder: known answers of others, small enough for a microcontroller.

usage: make.py SHARED (the folder ../shared, with vectors/). Needs OpenSSL 3.5's program. Where a vector file holds
only the hash of a key or signature, OpenSSL makes it from the seed, and the hash must match.
"""
import base64
import hashlib
import hmac
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap

HERE = pathlib.Path(__file__).resolve().parent


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


def records(path):
    """[(section, {name: value})] of a .vec file; a record ends at an empty line, a section or a name's return."""
    section, record, found = "", {}, []
    for line in path.read_text().splitlines() + [""]:
        line = line.split("#")[0].strip()
        heading = re.fullmatch(r"\[(.*)\]", line)
        name, equals, value = (part.strip() for part in line.partition("="))
        if record and (heading or not equals or name in record):
            found.append((section, record))
            record = {}
        if heading:
            section = heading.group(1)
        elif equals:
            record[name] = value
    return found


class Drbg:
    """AES-256-CTR-DRBG without derivation function (SP 800-90A), as the NIST post-quantum vectors use it."""

    def __init__(self, seed):
        self.key, self.counter = bytes(32), 0
        self._update(seed)

    def _blocks(self, count):
        blocks = b""
        for _ in range(count):
            self.counter = (self.counter + 1) % 2 ** 128
            blocks += openssl("enc", "-aes-256-ecb", "-nopad", "-K", self.key.hex(),
                              data=self.counter.to_bytes(16, "big"))
        return blocks

    def _update(self, seed):
        fresh = bytes(a ^ b for a, b in zip(self._blocks(3), seed))
        self.key, self.counter = fresh[:32], int.from_bytes(fresh[32:], "big")

    def draw(self, size):
        output = self._blocks((size + 15) // 16)[:size]
        self._update(bytes(48))
        return output


def shake16(data):
    return hashlib.shake_256(data).digest(16)


def private_key(algorithm, option):
    return openssl("genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-outform", "DER")


def public_bytes(key, size):
    return openssl("pkey", "-inform", "DER", "-pubout", "-outform", "DER", data=key)[-size:]


def sign(key, message, deterministic=True):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "key").write_bytes(key)
        (path / "message").write_bytes(message)
        return openssl("pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", path / "key", "-in", path / "message",
                       *(["-pkeyopt", "deterministic:1"] if deterministic else []))


class Header:
    def __init__(self, name, origin):
        self.path = HERE / f"{name}.hpp"
        self.text = "".join(f"// {line}\n" for line in textwrap.wrap(" ".join(origin), 97)) + f"""#pragma once

#include "core/crypto/known_answers/operation.hpp"

namespace quoin::core::known_answers::{name}_vectors {{
// clang-format off
"""

    def add(self, name, data):
        self.text += f'inline constexpr auto {name} = hex<{len(data)}>("{data.hex()}");\n'

    def write(self, name):
        self.text += f"// clang-format on\n}}  // namespace quoin::core::known_answers::{name}_vectors\n"
        self.path.write_text(self.text)
        print(f"{self.path.name}: {len(self.text)} bytes")


def must(condition, what):
    if not condition:
        sys.exit(f"not as the vector file says: {what}")


def suffix(algorithm):
    return algorithm.split("-", 2)[2].lower().replace("-", "_")


def hashes():
    header = Header("hashes", [
        "Of 1024 bytes, 0 to 255 four times: SHA-2, SHA-3, SHAKE (64 bytes), HMAC and HKDF (key: the first 32 of them;",
        "HKDF: SHA-256, no salt, info: the first 16, 64 bytes out) by Python's hashlib and OpenSSL. Made by make.py."])
    message = bytes(range(256)) * 4
    for name in ("sha256", "sha384", "sha512", "sha3_256", "sha3_512"):
        header.add(name, hashlib.new(name, message).digest())
    header.add("shake128", hashlib.shake_128(message).digest(64))
    header.add("shake256", hashlib.shake_256(message).digest(64))
    for name in ("sha256", "sha512"):
        header.add(f"hmac_{name}", hmac.digest(message[:32], message, name))
    header.add("hkdf_sha256", openssl("kdf", "-binary", "-keylen", "64", "-kdfopt", "digest:SHA256",
                                      "-kdfopt", f"hexkey:{message[:32].hex()}", "-kdfopt", f"hexinfo:{message[:16].hex()}",
                                      "HKDF"))
    header.write("hashes")


def ml_kem(vectors):
    header = Header("ml_kem", [
        "ML-KEM: the first vector of each set in github.com/post-quantum-cryptography/KAT, by way of Botan's",
        "ml_kem.vec. d, z and m are drawn from its seed; *_hash are the first 16 bytes of SHAKE256. rejected_* is",
        "a ciphertext that implicit rejection answers. Made by make.py."])
    for algorithm, size, expanded_size in (("ML-KEM-512", 800, 1632), ("ML-KEM-768", 1184, 2400), ("ML-KEM-1024", 1568, 3168)):
        record = next(r for s, r in records(vectors / "ml_kem.vec") if s == algorithm)
        drbg = Drbg(bytes.fromhex(record["Seed"]))
        z, d, n = drbg.draw(32), drbg.draw(32), algorithm[7:]  # in this order
        key = private_key(algorithm, f"hexseed:{(d + z).hex()}")
        must(shake16(public_bytes(key, size)).hex() == record["PK"].lower(), f"{algorithm} PK")
        header.add(f"seed_{n}", d + z)
        header.add(f"message_{n}", drbg.draw(32))
        header.add(f"decapsulation_key_hash_{n}", shake16(key[-expanded_size:]))  # OpenSSL's: the file hashes the seed
        for name, field in (("encapsulation_key_hash", "PK"), ("ciphertext_hash", "CT"),
                            ("secret", "SS"), ("rejected_ciphertext", "CT_N"), ("rejected_secret", "SS_N")):
            header.add(f"{name}_{n}", bytes.fromhex(record[field]))
    header.write("ml_kem")


def expanded_hash(key, size):
    """Of the expanded private key at the end of RFC 9881's "both"."""
    return hashlib.sha3_256(key[-size:]).digest()


MESSAGE = "D81C4D8D734FCBFBEADE3D3F8A039FAA2A2C9957E835AD55B22E75BF57BB556AC8"


def ml_dsa(vectors):
    header = Header("ml_dsa", [
        "ML-DSA, deterministic: the first vectors of Botan's ml-dsa-*_Deterministic.vec (by the reference code);",
        "ML-DSA-87, and the SHA3-256 of each expanded private key, from OpenSSL 3.5. Made by make.py."])
    header.add("message", bytes.fromhex(MESSAGE))
    for n, name, size, expanded_size in (("44", "4x4", 1312, 2560), ("65", "6x5", 1952, 4032), ("87", None, 2592, 4896)):
        path = vectors / f"ml-dsa-{name}_Deterministic.vec"
        record = records(path)[0][1] if name else None
        seed = Drbg(bytes.fromhex(record["Seed"])).draw(32) if record else hashlib.sha256(b"ML-DSA-87").digest()
        key = private_key(f"ML-DSA-{n}", f"hexseed:{seed.hex()}")
        public, signature = public_bytes(key, size), sign(key, bytes.fromhex(MESSAGE))
        if record:
            must(hashlib.sha3_256(public).hexdigest() == record["HashPk"].lower(), f"ML-DSA-{n} HashPk")
            must(hashlib.sha3_256(signature).hexdigest() == record["HashSig"].lower(), f"ML-DSA-{n} HashSig")
        header.add(f"seed_{n}", seed)
        header.add(f"public_key_{n}", public)
        header.add(f"private_key_hash_{n}", expanded_hash(key, expanded_size))
        header.add(f"signature_{n}", signature)
    header.write("ml_dsa")


# In the order of their object identifiers: RFC 9909.
SLH_DSA = tuple(f"SLH-DSA-{family}-{size}" for family in ("SHA2", "SHAKE")
                for size in ("128s", "128f", "192s", "192f", "256s", "256f"))


def slh_dsa(vectors, family):
    header = Header(f"slh_dsa_{family.lower()}", [
        "SLH-DSA, deterministic: the first vectors of Botan's slh_dsa.vec (github.com/mjosaarinen/py-acvp-pqc), which holds",
        "hashes of the signatures: OpenSSL 3.5 signed, and the hash matched. Made by make.py."])
    header.add("message", bytes.fromhex(MESSAGE))
    for algorithm in SLH_DSA:
        if family not in algorithm:
            continue
        record = next(r for _, r in records(vectors / "slh_dsa.vec") if r.get("SphincsParameterSet") == algorithm)
        secret = bytes.fromhex(record["sk"])
        key = private_key_of(algorithm, secret)
        signature = sign(key, bytes.fromhex(record["msg"]))
        digest = hashlib.sha3_256 if family == "SHAKE" else hashlib.sha256
        must(record["HashSigDet"].lower() in [digest(signature).hexdigest(), hashlib.shake_256(signature).hexdigest(32)],
             f"{algorithm} HashSigDet {digest(signature).hexdigest()}")
        must(record["msg"] == MESSAGE, f"{algorithm} msg")
        header.add(f"public_key_{suffix(algorithm)}", bytes.fromhex(record["pk"]))
        header.add(f"private_key_{suffix(algorithm)}", secret)
        header.add(f"signature_{suffix(algorithm)}", signature)
    header.write(f"slh_dsa_{family.lower()}")


def private_key_of(algorithm, secret):
    """PKCS#8 around the raw private key: RFC 9909."""
    def tlv(tag, value):
        length = bytes([len(value)]) if len(value) < 128 else b"\x81" + bytes([len(value)])
        return bytes([tag]) + length + value
    identifier = tlv(0x30, tlv(0x06, bytes.fromhex("6086480165030403") + bytes([20 + SLH_DSA.index(algorithm)])))
    return tlv(0x30, tlv(0x02, b"\0") + identifier + tlv(0x04, secret))


def curve25519():
    header = Header("curve25519", [
        "X25519 and Ed25519: keys 0x01 ... 0x20 and 0x21 ... 0x40; public keys, shared secret and signature (of the bytes",
        "0 to 255, four times) by OpenSSL 3.5. Made by make.py."])
    for name, first in (("a", 1), ("b", 33)):
        secret = bytes(range(first, first + 32))
        header.add(f"private_{name}", secret)
        for algorithm, last in (("x25519", 0x6E), ("ed25519", 0x70)):
            key = bytes.fromhex("302e020100300506032b65") + bytes([last]) + bytes.fromhex("04220420") + secret
            header.add(f"{algorithm}_public_{name}", public_bytes(key, 32))
            if algorithm == "x25519" and name == "b":
                header.add("shared", exchange(key, bytes.fromhex("302a300506032b656e032100") + public_a))
            elif algorithm == "x25519":
                public_a = public_bytes(key, 32)
            elif name == "a":
                header.add("signature", sign(key, bytes(range(256)) * 4, deterministic=False))
    header.write("curve25519")


def exchange(key, peer):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "key").write_bytes(key)
        (path / "peer").write_bytes(peer)
        return openssl("pkeyutl", "-derive", "-keyform", "DER", "-inkey", path / "key", "-peerform", "DER", "-peerkey",
                       path / "peer")


def lms(vectors):
    header = Header("lms", [
        "HSS: RFC 8554, appendix F, test cases 1 and 2 (two levels of SHA-256; the second: height 10, w 4 above height 5,",
        "w 8), and draft-fluhrer-lms-more-parm-sets-11, test cases 1 to 3 (SHA-256/192, SHAKE256/192, SHAKE256), by way of",
        "Botan's hss_lms_verify.vec. seed, tree_key: its lms.vec, second case. Made by make.py."])
    for number, (_, record) in enumerate(records(vectors / "hss_lms_verify.vec"), 1):
        for name, field in (("public_key", "PublicKey"), ("message", "Msg"), ("signature", "Signature")):
            header.add(f"{name}_{number}", bytes.fromhex(record[field]))
    record = records(vectors / "lms.vec")[1][1]  # H5, W1: the key that is made in no time
    must(record["PublicKey"].startswith("0000000500000001"), "lms.vec: W1 is second")
    for name, field in (("seed", "Seed"), ("tree_key", "PublicKey"), ("message", "Msg"), ("signature_hash", "HashSig")):
        header.add(name, bytes.fromhex(record[field]))
    header.write("lms")


def composite(vectors):
    header = Header("composite", [
        "ML-DSA+Ed25519 composites, empty context: the vectors of draft-ietf-lamps-pq-composite-sigs-19. Made by make.py."])
    suite = json.loads((vectors / "composite_mldsa_ed25519.json").read_text())
    header.add("message", base64.b64decode(suite["m"]))
    for n in ("44", "65"):
        case = next(test for test in suite["tests"] if f"MLDSA{n}-Ed25519" in test["tcId"])
        header.add(f"public_key_{n}", base64.b64decode(case["pk"]))
        header.add(f"signature_{n}", base64.b64decode(case["s"]))
    header.write("composite")


def main():
    vectors = pathlib.Path(sys.argv[1]) / "vectors"
    hashes()
    ml_kem(vectors)
    ml_dsa(vectors)
    slh_dsa(vectors, "SHA2")
    slh_dsa(vectors, "SHAKE")
    lms(vectors)
    curve25519()
    composite(vectors)


if __name__ == "__main__":
    main()
