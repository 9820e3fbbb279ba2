"""openssl(1) with quoin.so loaded. argv[1] is the path of quoin.so."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROVIDER = Path(sys.argv.pop(1))
LOADED = ("-provider-path", str(PROVIDER.parent), "-provider", "quoin", "-provider", "default")
PREFERRED = (*LOADED, "-propquery", "?provider=quoin")
KEMS = ("ML-KEM-512", "ML-KEM-768", "ML-KEM-1024", "X25519MLKEM768")


def openssl(*words, stdin=b"", **environment):
    done = subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=False, timeout=60,
                          env={**os.environ, **environment})
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


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


if __name__ == "__main__":
    unittest.main()
