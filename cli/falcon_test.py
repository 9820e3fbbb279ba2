"""`quoin falcon` from the outside: files, exit codes, and the vectors of others. argv[1] is the program."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM = os.path.abspath(sys.argv.pop(1))
VECTORS = Path(__file__).resolve().parent.parent / "core/crypto/falcon/vectors"


class Falcon(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        (self.folder / "file").write_bytes(os.urandom(10_000))

    def quoin(self, *words, code=0):
        done = subprocess.run([PROGRAM, "falcon", *map(str, words)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, cwd=self.folder, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_approved_mode__falcon_alone__refused(self):
        os.environ["QUOIN_FIPS_MODE"] = "1"
        self.addCleanup(os.environ.pop, "QUOIN_FIPS_MODE")
        said = self.quoin("keygen", "--key", "sk", "--pub", "pk", code=2)
        self.assertIn("Falcon is not allowed in approved mode", said)
        self.assertFalse((self.folder / "sk").exists())

    def verify(self, code=0):
        return self.quoin("verify", "--key", "pk", "--in", "file", "--sig", "sig", code=code)

    def write(self, name, content):
        (self.folder / name).write_bytes(content)

    def read(self, name):
        return (self.folder / name).read_bytes()

    def test_keygen_sign_verify__both_degrees_and_formats__good_and_changed(self):
        for degree, sizes in ((512, (1281, 897, 666)), (1024, (2305, 1793, 1280))):
            for name in ("sk", "pk"):
                (self.folder / name).unlink(missing_ok=True)
            self.quoin("keygen", "--key", "sk", "--pub", "pk", "--degree", degree)
            self.assertEqual((self.folder / "sk").stat().st_mode & 0o777, 0o600)
            self.assertEqual((len(self.read("sk")), len(self.read("pk"))), sizes[:2])
            self.quoin("sign", "--key", "sk", "--in", "file", "--sig", "sig")
            self.assertLessEqual(len(self.read("sig")), sizes[2])
            self.verify()
            self.quoin("sign", "--key", "sk", "--in", "file", "--sig", "sig", "--padded")
            self.assertEqual(len(self.read("sig")), sizes[2])
            self.assertIn("good signature", self.verify())
            self.write("sig", self.read("sig")[:-1] + b"\x01")
            self.assertIn("is not a signature", self.verify(code=1))

    def test_keygen__key_exists__kept(self):
        self.write("sk", b"mine")
        self.quoin("keygen", "--key", "sk", "--pub", "pk", code=1)
        self.assertEqual(self.read("sk"), b"mine")

    def test_keys__wrong_kind__said(self):
        self.write("pk", b"x" * 897)
        self.write("sig", b"x" * 666)
        self.assertIn("pk", self.verify(code=1))
        self.assertIn("1281", self.quoin("sign", "--key", "pk", "--in", "file", "--sig", "sig", code=2))
        self.assertIn("--key is missing", self.quoin("sign", "--in", "file", "--sig", "sig", code=2))

    def test_vectors__of_others__verify_and_sign(self):
        for path in sorted(VECTORS.glob("*.jsonl")):
            for line in path.read_text().splitlines()[:2]:
                vector = {name: bytes.fromhex(value) for name, value in json.loads(line).items()}
                for name, key in (("sk", "sk"), ("pk", "pk"), ("file", "msg"), ("sig", "sig")):
                    self.write(name, vector[key])
                self.verify()
                self.quoin("sign", "--key", "sk", "--in", "file", "--sig", "sig")
                self.verify()
                self.write("file", vector["msg"] + b"x")
                self.verify(code=1)


if __name__ == "__main__":
    unittest.main()
