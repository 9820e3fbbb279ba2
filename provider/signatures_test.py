"""openssl(1) with quoin.so loaded by OPENSSL_CONF alone: ML-DSA and composite keys, certificates, CMS and TLS. argv[1] is
the path of quoin.so."""
import base64
import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from openssl_test import PROVIDER, configuration, openssl

ML_DSAS = ("ML-DSA-44", "ML-DSA-65", "ML-DSA-87")
COMPOSITES = ("id-MLDSA44-Ed25519-SHA512", "id-MLDSA65-Ed25519-SHA512")
SCHEMES = {"ML-DSA-44": "mldsa44", "ML-DSA-65": "mldsa65", "ML-DSA-87": "mldsa87",
           "id-MLDSA44-Ed25519-SHA512": "mldsa44_ed25519", "id-MLDSA65-Ed25519-SHA512": "mldsa65_ed25519"}
LATTICE_SIGNATURE = {"id-MLDSA44-Ed25519-SHA512": 2420, "id-MLDSA65-Ed25519-SHA512": 3309}
VECTORS = Path(__file__).parents[2] / "shared/vectors/composite_mldsa_ed25519.json"


def der(tag, *parts):
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(size)]) + size + body


def children(encoded):
    """The elements inside a DER element, each whole."""
    def head(at):
        count = encoded[at + 1]
        if count < 0x80:
            return at + 2, count
        return at + 2 + (count & 0x7f), int.from_bytes(encoded[at + 2:at + 2 + (count & 0x7f)])
    at, size = head(0)
    end, found = at + size, []
    while at < end:
        start, length = head(at)
        found.append(encoded[at:start + length])
        at = start + length
    return found


class Plant:
    """A root and what it issues, in a folder."""
    def __init__(self, folder, ca, **environment):
        self.folder, self.environment = Path(folder), environment
        self.ca = ca
        self.run("genpkey", "-algorithm", ca, "-out", self.at("ca.key"))
        self.run("req", "-x509", "-new", "-key", self.at("ca.key"), "-subj", "/CN=root", "-days", "10", "-out",
                 self.at("ca.pem"), "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
                 "keyUsage=critical,keyCertSign,cRLSign", "-config", self.config())

    def at(self, name):
        return str(self.folder / name)

    def config(self):
        path = self.folder / "request.cnf"
        path.write_text("[req]\ndistinguished_name=dn\n[dn]\n")
        return str(path)

    def run(self, *words, stdin=b""):
        code, out, error = openssl(*words, stdin=stdin, **self.environment)
        assert code == 0, f"{words}: {error}"
        return out

    def issue(self, name, algorithm, usage="digitalSignature"):
        key, request, extensions, certificate = (self.at(f"{name}.{kind}") for kind in ("key", "csr", "ext", "pem"))
        Path(extensions).write_text(f"keyUsage=critical,{usage}\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n")
        self.run("genpkey", "-algorithm", algorithm, "-out", key)
        self.run("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request, "-config", self.config())
        self.run("x509", "-req", "-in", request, "-CA", self.at("ca.pem"), "-CAkey", self.at("ca.key"), "-days", "9",
                 "-extfile", extensions, "-out", certificate)
        return key, certificate

    def der_of(self, certificate):
        return self.run("x509", "-in", certificate, "-outform", "DER")

    def damaged(self):
        """Certificates of a sound key whose signature is wrong: name -> DER."""
        _, certificate = self.issue("sound", COMPOSITES[0])
        tbs, algorithm, bits = children(self.der_of(certificate))
        signature = children(der(0x30, bits))[0][5:]
        half = LATTICE_SIGNATURE[self.ca]
        lattice, curve = signature[:half], signature[half:]
        assert len(curve) == 64

        def whole(*parts, algorithm=algorithm, unused=b"\0"):
            return der(0x30, tbs, algorithm, der(0x03, unused, *parts))

        def flipped(part, at):
            return part[:at] + bytes([part[at] ^ 1]) + part[at + 1:]
        assert whole(lattice, curve) == self.der_of(certificate)
        old = der(0x30, der(0x03, b"\0", lattice), der(0x03, b"\0", curve))
        old_id = der(0x30, der(0x06, bytes.fromhex("60864801 86fa6b 500801 03")))
        return {
            "wrong ML-DSA half": whole(flipped(lattice, 100), curve),
            "wrong Ed25519 half": whole(lattice, flipped(curve, 3)),
            "no ML-DSA half": whole(bytes(half), curve),
            "no Ed25519 half": whole(lattice, bytes(64)),
            "swapped halves": whole(curve, lattice),
            "truncated": whole(lattice, curve[:-1]),
            "trailing byte": whole(lattice, curve, b"\0"),
            "ML-DSA half alone": whole(lattice),
            "encoding of the old drafts": whole(old),
            "algorithm of the old drafts": whole(old, algorithm=old_id),
        }


class InFolder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.ours = {"OPENSSL_CONF": configuration(cls.folder)}
        cls.theirs = {}

    def at(self, name):
        return str(self.folder / name)

    def good(self, *words, stdin=b"", **environment):
        code, out, error = openssl(*words, stdin=stdin, **(environment or self.ours))
        self.assertEqual(code, 0, f"{words}: {error}")
        return out

    def refused(self, reason, *words, stdin=b"", **environment):
        code, out, error = openssl(*words, stdin=stdin, **(environment or self.ours))
        self.assertNotEqual(code, 0, words)
        self.assertRegex(error + out.decode(errors="replace"), reason)


class Keys(InFolder):
    def test_genpkey__ml_dsa_of_one_seed__the_files_of_the_default_provider(self):
        for name in ML_DSAS:
            seed = ("-pkeyopt", "hexseed:" + "3c" * 32)
            mine = self.good("genpkey", "-algorithm", name, *seed)
            self.assertEqual(mine, self.good("genpkey", "-algorithm", name, *seed, PATH=os.environ["PATH"]))
            for words in (("-text",), ("-pubout",), ("-pubout", "-outform", "DER"), ("-text_pub", "-noout")):
                self.assertEqual(self.good("pkey", *words, stdin=mine),
                                 self.good("pkey", *words, stdin=mine, PATH=os.environ["PATH"]), words)

    def test_pkey__ml_dsa_without_seed__read_and_written(self):
        for name in ML_DSAS:
            expanded = self.good("genpkey", "-algorithm", name, "-provparam", "ml-dsa.output_formats=priv-only",
                                 PATH=os.environ["PATH"])
            self.assertEqual(self.good("pkey", "-pubout", stdin=expanded),
                             self.good("pkey", "-pubout", stdin=expanded, PATH=os.environ["PATH"]))

    def test_composite__der_and_pem__read_back(self):
        for name in COMPOSITES:
            key = self.good("genpkey", "-algorithm", name)
            self.assertIn(b"-----BEGIN PRIVATE KEY-----", key)
            encoded = self.good("pkey", "-outform", "DER", stdin=key)
            self.assertEqual(len(encoded), 83)
            self.assertEqual(self.good("pkey", "-inform", "DER", stdin=encoded), key)
            public = self.good("pkey", "-pubout", stdin=key)
            public_der = self.good("pkey", "-pubin", "-outform", "DER", stdin=public)
            self.assertEqual(self.good("pkey", "-pubin", "-inform", "DER", stdin=public_der), public)
            text = self.good("pkey", "-noout", "-text", stdin=key).decode()
            self.assertRegex(text, rf"{name} Private-Key:\nML-DSA seed:\n(.|\n)*Ed25519 seed:\n(.|\n)*ML-DSA pub:\n")
            self.assertNotIn("seed", self.good("pkey", "-pubin", "-noout", "-text", stdin=public).decode())
            self.good("pkey", "-check", "-noout", stdin=key)

    def test_composite__encrypted__read_back_with_the_passphrase_alone(self):
        for name in COMPOSITES:
            key = self.good("genpkey", "-algorithm", name)
            for words in (("pkey", "-aes256"), ("pkcs8", "-topk8"), ("pkcs8", "-topk8", "-outform", "DER")):
                sealed = self.good(*words, "-passout", "pass:right", stdin=key)
                form = "DER" if "DER" in words else "PEM"
                self.assertEqual(self.good("pkey", "-inform", form, "-passin", "pass:right", stdin=sealed), key)
                self.refused("Could not", "pkey", "-inform", form, "-passin", "pass:wrong", stdin=sealed)
            self.assertIn(b"BEGIN ENCRYPTED PRIVATE KEY",
                          self.good("genpkey", "-algorithm", name, "-aes256", "-pass", "pass:right"))

    def test_composite__malformed__refused(self):
        for name in COMPOSITES:
            public = self.good("pkey", "-pubout", "-outform", "DER", stdin=self.good("genpkey", "-algorithm", name))
            algorithm, bits = children(public)
            oid, raw = children(algorithm)[0], bits[5:]
            for what in (der(0x30, algorithm, der(0x03, b"\0", raw, b"\0")),  # trailing byte inside
                         der(0x30, algorithm, der(0x03, b"\0", raw[:-1])),  # truncated
                         der(0x30, algorithm, der(0x03, b"\1", raw)),  # unused bits
                         der(0x30, der(0x30, oid, b"\x05\0"), der(0x03, b"\0", raw)),  # parameters NULL
                         der(0x30, algorithm, der(0x03, b"\0", raw), b"\x05\0")):  # another element
                self.refused("one DER form|unsupported|Could not", "pkey", "-pubin", "-inform", "DER", "-noout", stdin=what)
            private = self.good("genpkey", "-algorithm", name, "-outform", "DER")
            version, algorithm, seeds = children(private)
            for what in (der(0x30, version, algorithm, der(0x04, seeds[2:-1])),
                         der(0x30, version, algorithm, der(0x04, seeds[2:], b"\0")),
                         der(0x30, version, der(0x30, oid, b"\x05\0"), seeds), private[:-1]):
                self.refused("Could not", "pkey", "-inform", "DER", "-noout", stdin=what)

    def test_vectors__lamps_keys_and_certificates__read_and_verified(self):
        if not VECTORS.exists():
            self.skipTest(f"NOT RUN: {VECTORS} is not there")
        vectors = [v for v in json.loads(VECTORS.read_text())["tests"] if v["tcId"] in COMPOSITES]
        self.assertEqual(len(vectors), 2)
        for vector in vectors:
            certificate, private = base64.b64decode(vector["x5c"]), base64.b64decode(vector["sk_pkcs8"])
            Path(self.at("vector.pem")).write_bytes(self.good("x509", "-inform", "DER", stdin=certificate))
            self.good("verify", "-check_ss_sig", "-CAfile", self.at("vector.pem"), self.at("vector.pem"))
            self.assertEqual(self.good("pkey", "-inform", "DER", "-outform", "DER", stdin=private), private)
            self.assertEqual(self.good("pkey", "-inform", "DER", "-pubout", stdin=private),
                             self.good("x509", "-in", self.at("vector.pem"), "-pubkey", "-noout"))
            text = self.good("x509", "-in", self.at("vector.pem"), "-noout", "-text").decode()
            self.assertEqual(text.count(f"Algorithm: {vector['tcId']}"), 3)


class Messages(InFolder):
    def test_cms__sign_and_verify__the_content(self):
        for name in (*ML_DSAS, *COMPOSITES):
            plant = Plant(self.folder, name, **self.ours)
            key, certificate = plant.issue("author", name)
            signed = self.good("cms", "-sign", "-nodetach", "-md", "sha512", "-binary", "-signer", certificate, "-inkey",
                               key, "-outform", "DER", stdin=b"content")
            verify = ("cms", "-verify", "-inform", "DER", "-binary", "-CAfile", plant.at("ca.pem"), "-purpose", "any")
            self.assertEqual(self.good(*verify, stdin=signed), b"content")
            self.refused("Verification failure", *verify, stdin=signed.replace(b"content", b"contenu"))

    def test_pkeyutl__composite_signature__its_context_alone(self):
        for name in COMPOSITES:
            Path(self.at("key")).write_bytes(self.good("genpkey", "-algorithm", name))
            Path(self.at("message")).write_bytes(b"message")
            words = ("-rawin", "-inkey", self.at("key"), "-in", self.at("message"))
            context = ("-pkeyopt", "context-string:a place")
            self.good("pkeyutl", "-sign", *words, *context, "-pkeyopt", "deterministic:1", "-out", self.at("signature"))
            first = Path(self.at("signature")).read_bytes()
            self.good("pkeyutl", "-sign", *words, *context, "-pkeyopt", "deterministic:1", "-out", self.at("signature"))
            self.assertEqual(Path(self.at("signature")).read_bytes(), first)
            check = ("pkeyutl", "-verify", *words, "-sigfile", self.at("signature"))
            self.good(*check, *context)
            self.refused("Failure", *check)
            self.refused("Failure", *check, "-pkeyopt", "context-string:another")
            Path(self.at("signature")).write_bytes(first + b"\0")
            self.refused("signature of the wrong length", *check, *context)

    def test_ml_dsa__signed_by_one_verified_by_the_other__good(self):
        default = {"PATH": os.environ["PATH"]}
        for name in ML_DSAS:
            Path(self.at("key")).write_bytes(self.good("genpkey", "-algorithm", name))
            Path(self.at("message")).write_bytes(b"message" * 100)
            for options in ((), ("-pkeyopt", "context-string:there"), ("-pkeyopt", "message-encoding:0")):
                words = ("-rawin", "-inkey", self.at("key"), "-in", self.at("message"), *options)
                sign = ("pkeyutl", "-sign", *words, "-pkeyopt", "deterministic:1")
                self.assertEqual(self.good(*sign), self.good(*sign, **default))
                for signer, verifier in ((self.ours, default), (default, self.ours)):
                    self.good("pkeyutl", "-sign", *words, "-out", self.at("signature"), **signer)
                    self.good("pkeyutl", "-verify", *words, "-sigfile", self.at("signature"), **verifier)


class Certificates(InFolder):
    def test_request_and_certificate__any_two_algorithms__verified(self):
        for ca in (*ML_DSAS, *COMPOSITES):
            plant = Plant(self.folder, ca, **self.ours)
            for leaf in (*COMPOSITES, "ML-DSA-65"):
                _, certificate = plant.issue("leaf", leaf)
                self.good("req", "-in", plant.at("leaf.csr"), "-verify", "-noout")
                self.good("verify", "-CAfile", plant.at("ca.pem"), certificate)

    def test_verify__damaged_signature__refused(self):
        for ca in COMPOSITES:
            plant = Plant(self.folder, ca, **self.ours)
            for what, certificate in plant.damaged().items():
                with self.subTest(ca=ca, what=what):
                    Path(self.at("damaged")).write_bytes(certificate)
                    self.refused("certificate signature failure|unable to get issuer|signature algorithm|unknown",
                                 "verify", "-CAfile", plant.at("ca.pem"), self.at("damaged"))

    def test_verify__issuer_may_not_sign_certificates__refused(self):
        plant = Plant(self.folder, COMPOSITES[0], **self.ours)
        plant.issue("middle", COMPOSITES[0])
        below = Plant(self.folder / "below" if (self.folder / "below").mkdir() is None else "", COMPOSITES[0], **self.ours)
        Path(below.at("ca.key")).write_bytes(Path(plant.at("middle.key")).read_bytes())
        Path(below.at("ca.pem")).write_bytes(Path(plant.at("middle.pem")).read_bytes())
        _, certificate = below.issue("leaf", COMPOSITES[0])
        self.refused("invalid CA certificate|key usage", "verify", "-CAfile", plant.at("ca.pem"), "-untrusted",
                     plant.at("middle.pem"), certificate)


class Configuration(InFolder):
    def with_setting(self, setting):
        path = Path(self.at("set.cnf"))
        path.write_text(Path(self.ours["OPENSSL_CONF"]).read_text() + setting + "\n")
        return {"OPENSSL_CONF": str(path)}

    def test_code_point__taken_or_no_number__refused_with_the_reason(self):
        for value, reason in (("0x0905", "another TLS signature scheme"), ("0x0804", "another TLS signature scheme"),
                              ("0x0912", "another TLS signature scheme"), ("0x1a1a", "reserved"),
                              ("0x090B", "both composites"), ("x", "not a number"), ("0x10000", "not a number")):
            with self.subTest(value=value):
                environment = self.with_setting(f"composite44-code-point = {value}")
                # libcrypto says nothing of a provider that its configuration could not load: who asks for it, is told.
                self.assertNotIn(b"quoin", self.good("list", "-providers", **environment))
                path = Path(environment["OPENSSL_CONF"])
                path.write_text(re.sub(r"(module = .*\n)activate = 1\n", r"\1", path.read_text()))
                asked = ("list", "-providers", "-provider", "quoin")
                self.refused(rf"composite44-code-point.*{reason}", *asked, **environment)
                self.with_setting("")
                path.write_text(re.sub(r"(module = .*\n)activate = 1\n", r"\1", path.read_text()))
                self.refused(rf"QUOIN_COMPOSITE44_CODE_POINT.*{reason}", *asked, QUOIN_COMPOSITE44_CODE_POINT=value,
                             **environment)
        self.refused("QUOIN_COMPOSITE65_CODE_POINT.*both composites", *asked, QUOIN_COMPOSITE65_CODE_POINT="0x090A",
                     **environment)
        # An empty variable is an unset one.
        self.good(*asked, QUOIN_COMPOSITE44_CODE_POINT="", **environment)


class Tls(InFolder):
    def connect(self, server, client, trust, server_words=(), client_words=(), server_env=None, client_env=None):
        """What s_client (exit code, text) and s_server say of one connection with client certificates."""
        process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-key", server[0], "-cert", server[1],
             "-CAfile", trust, "-Verify", "4", "-verify_return_error", "-www", *server_words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, **(server_env or self.ours)})
        try:
            said = b""
            accepting = None
            for line in process.stdout:
                said += line
                if accepting := re.match(rb"ACCEPT .*:(\d+)", line):
                    break
            self.assertIsNotNone(accepting, said.decode())
            # The request makes the client wait for the server's answer: only that knows whether it was refused.
            code, out, error = openssl(
                "s_client", "-connect", f"127.0.0.1:{accepting.group(1).decode()}", "-key", client[0], "-cert", client[1],
                "-CAfile", trust, "-verify_return_error", "-ign_eof", *client_words, stdin=b"GET / HTTP/1.0\r\n\r\n",
                **(client_env or self.ours))
            rest, _ = process.communicate(timeout=20)
            return code, out.decode() + error, (said + rest).decode()
        finally:
            process.kill()
            process.communicate()

    def test_s_server_and_s_client__mutual__each_scheme(self):
        for name in (*ML_DSAS, *COMPOSITES):
            with self.subTest(name=name):
                plant = Plant(self.folder, name, **self.ours)
                server, client = plant.issue("server", name), plant.issue("client", name)
                code, out, said = self.connect(server, client, plant.at("ca.pem"))
                self.assertEqual(code, 0, out + said)
                self.assertIn("Verify return code: 0 (ok)", out)
                self.assertRegex(out, rf"Peer signature type: {SCHEMES[name]}\b")
                self.assertIn("HTTP/1.0 200 ok", out)

    def test_ml_dsa__one_side_without_the_provider__connected(self):
        plant = Plant(self.folder, "ML-DSA-65", **self.ours)
        server, client = plant.issue("server", "ML-DSA-65"), plant.issue("client", "ML-DSA-65")
        default = {"PATH": os.environ["PATH"]}
        for server_env, client_env in ((self.ours, default), (default, self.ours)):
            code, out, said = self.connect(server, client, plant.at("ca.pem"), server_env=server_env,
                                           client_env=client_env)
            self.assertEqual(code, 0, out + said)

    def test_code_point__other_on_each_side__no_shared_scheme(self):
        plant = Plant(self.folder, COMPOSITES[0], **self.ours)
        server, client = plant.issue("server", COMPOSITES[0]), plant.issue("client", COMPOSITES[0])
        other = Configuration.with_setting(self, "composite44-code-point = 0xFE01")
        code, out, said = self.connect(server, client, plant.at("ca.pem"), server_env=other, client_env=other)
        self.assertEqual(code, 0, out + said)
        _, out, said = self.connect(server, client, plant.at("ca.pem"), client_env=other)
        self.assertRegex(said, "no suitable signature algorithm|no shared")
        self.assertRegex(out, "alert handshake failure")
        # The environment goes before the file.
        both = {**other, "QUOIN_COMPOSITE44_CODE_POINT": "0x090A"}
        code, out, said = self.connect(server, client, plant.at("ca.pem"), client_env=both)
        self.assertEqual(code, 0, out + said)

    def test_damaged_certificate__of_either_side__refused_with_the_reason(self):
        plant = Plant(self.folder, COMPOSITES[0], **self.ours)
        sound = plant.issue("other", COMPOSITES[0])
        for what, certificate in plant.damaged().items():
            with self.subTest(what=what):
                # Such a peer's own libssl has to let pass what it does not know either.
                lax = ("-cipher", "DEFAULT@SECLEVEL=0") if what == "algorithm of the old drafts" else ()
                path = self.at("damaged.pem")
                Path(path).write_bytes(plant.run("x509", "-inform", "DER", stdin=certificate))
                damaged = (plant.at("sound.key"), path)
                code, out, _ = self.connect(damaged, sound, plant.at("ca.pem"), server_words=lax)
                self.assertNotEqual(code, 0)
                self.assertIn("CA signature digest algorithm too weak" if lax else "certificate signature failure", out)
                _, out, said = self.connect(sound, damaged, plant.at("ca.pem"), client_words=lax)
                self.assertIn("certificate verify failed", said)
                self.assertRegex(out, "alert (decrypt error|bad certificate)")

    def test_key_usage__none_of_signing__refused_with_the_reason(self):
        plant = Plant(self.folder, COMPOSITES[0], **self.ours)
        sound = plant.issue("sound", COMPOSITES[0])
        code, out, _ = self.connect(plant.issue("wrong", COMPOSITES[0], "cRLSign"), sound, plant.at("ca.pem"))
        self.assertNotEqual(code, 0)
        self.assertIn("unsuitable certificate purpose", out)
        _, out, said = self.connect(sound, plant.issue("wrong", COMPOSITES[0], "keyEncipherment"), plant.at("ca.pem"))
        self.assertIn("certificate verify failed", said)
        self.assertIn("alert", out)


if __name__ == "__main__":
    unittest.main()
