"""openssl(1) with quoin.so loaded. argv[1] is the path of quoin.so."""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROVIDER = Path(sys.argv.pop(1)).resolve()
LOADED = ("-provider-path", str(PROVIDER.parent), "-provider", "quoin", "-provider", "default")
PREFERRED = (*LOADED, "-propquery", "?provider=quoin")
KEMS = ("ML-KEM-512", "ML-KEM-768", "ML-KEM-1024", "X25519MLKEM768")


def openssl(*words, stdin=b"", **environment):
    done = subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=False, timeout=60,
                          env={**os.environ, **environment})
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def configuration(folder):
    """What puts our provider in front in any program, as a file for OPENSSL_CONF."""
    path = Path(folder) / "openssl.cnf"
    path.write_text(f"""openssl_conf = init
[init]
providers = providers
alg_section = algorithms
[algorithms]
default_properties = ?provider=quoin
[providers]
default = default_section
quoin = quoin_section
[default_section]
activate = 1
[quoin_section]
module = {PROVIDER}
activate = 1
""")
    return str(path)


class Loading(unittest.TestCase):
    def test_exports__dynamic_symbols__the_entry_alone(self):
        listed = subprocess.run(["nm", "-D", "--defined-only", PROVIDER], capture_output=True, text=True, check=True)
        self.assertEqual([line.split()[-1] for line in listed.stdout.splitlines()], ["OSSL_provider_init"])

    def test_list__loaded__active_with_its_name(self):
        code, out, error = openssl("list", "-providers", *LOADED)
        self.assertEqual(code, 0, error)
        self.assertRegex(out.decode(), r"quoin\s+name: Quoin provider\s+version: \S+\s+status: active")

    def test_list__algorithms__served_by_both(self):
        for kind in ("-key-managers", "-kem-algorithms"):
            _, out, _ = openssl("list", kind, *LOADED)
            for name in KEMS:
                for provider in ("quoin", "default"):
                    self.assertRegex(out.decode(), rf"{name}\b.*@ {provider}\b")


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_openssl(self, *words, stdin=b"", **environment):
        code, out, error = openssl(*words, stdin=stdin, **environment)
        self.assertEqual(code, 0, f"{words}: {error}")
        return out

    def test_genpkey__one_seed__the_files_of_the_default_provider(self):
        for name in KEMS[:3]:
            seed = ("-pkeyopt", "hexseed:" + "3b" * 64)
            mine = self.run_openssl("genpkey", *PREFERRED, "-algorithm", name, *seed)
            self.assertEqual(mine, self.run_openssl("genpkey", "-algorithm", name, *seed))
            for words in (("-text",), ("-pubout",), ("-pubout", "-outform", "DER"), ("-text_pub", "-noout")):
                self.assertEqual(self.run_openssl("pkey", *PREFERRED, *words, stdin=mine),
                                 self.run_openssl("pkey", *words, stdin=mine), words)

    def test_pkey__encrypted_file__read_back(self):
        mine = self.run_openssl("genpkey", *PREFERRED, "-algorithm", "ML-KEM-768")
        sealed = self.run_openssl("pkey", *PREFERRED, "-aes256", "-passout", "pass:a passphrase", stdin=mine)
        self.assertIn(b"ENCRYPTED", sealed)
        self.assertEqual(self.run_openssl("pkey", *PREFERRED, "-passin", "pass:a passphrase", stdin=sealed), mine)

    def test_pkeyutl__encap_by_one_decap_by_the_other__one_secret(self):
        ours = {"OPENSSL_CONF": configuration(self.folder)}
        at = {name: str(self.folder / name) for name in ("key", "pub", "ciphertext", "secret")}
        for name in KEMS[:3]:
            for maker, sender, receiver in ((ours, {}, ours), ({}, ours, {}), (ours, ours, ours)):
                self.run_openssl("genpkey", "-algorithm", name, "-out", at["key"], **maker)
                self.run_openssl("pkey", "-in", at["key"], "-pubout", "-out", at["pub"], **maker)
                self.run_openssl("pkeyutl", "-encap", "-pubin", "-inkey", at["pub"], "-out", at["ciphertext"],
                                 "-secret", at["secret"], **sender)
                opened = self.run_openssl("pkeyutl", "-decap", "-inkey", at["key"], "-in", at["ciphertext"],
                                          "-secret", "/dev/stdout", **receiver)
                self.assertEqual(opened, Path(at["secret"]).read_bytes())
                self.assertEqual(len(opened), 32)


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.ours = {"OPENSSL_CONF": configuration(folder.name)}
        cls.key, cls.certificate = f"{folder.name}/key.pem", f"{folder.name}/certificate.pem"
        # Debian's own configuration file has what `req` wants.
        code, _, error = openssl("req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=localhost",
                                 "-keyout", cls.key, "-out", cls.certificate)
        assert code == 0, error

    def connect(self, group, server, client):
        process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-key", self.key, "-cert", self.certificate,
             "-groups", group, "-www"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **server})
        try:
            for line in process.stdout:
                if accepting := re.match(rb"ACCEPT .*:(\d+)", line):
                    break
            maps = Path(f"/proc/{process.pid}/maps").read_text()
            self.assertEqual("/quoin.so" in maps, bool(server))
            code, out, error = openssl("s_client", "-connect", f"127.0.0.1:{accepting.group(1).decode()}", "-groups", group,
                                       "-CAfile", self.certificate, "-verify_return_error", stdin=b"", **client)
            self.assertEqual(code, 0, error)
            self.assertIn("Verify return code: 0 (ok)", out.decode())
            return re.search(r"Negotiated TLS1.3 group: (\S+)", out.decode()).group(1)
        finally:
            process.kill()
            process.communicate()

    def test_s_server_and_s_client__by_openssl_conf_on_either_side__agree(self):
        for group in ("X25519MLKEM768", "MLKEM512", "MLKEM768", "MLKEM1024", "SecP256r1MLKEM768"):
            for server, client in ((self.ours, {}), ({}, self.ours), (self.ours, self.ours)):
                with self.subTest(group=group, server=bool(server), client=bool(client)):
                    self.assertEqual(self.connect(group, server, client), group)


if __name__ == "__main__":
    unittest.main()
