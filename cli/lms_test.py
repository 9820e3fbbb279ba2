"""`quoin lms` from the outside: files, exit codes, messages. argv[1] is the program."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM = os.path.abspath(sys.argv.pop(1))


class Lms(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.passphrase = self.folder / "passphrase"
        self.passphrase.write_text("correct horse\n")
        self.passphrase.chmod(0o600)
        self.image = self.folder / "image.bin"
        self.image.write_bytes(os.urandom(100_000))
        self.key = self.folder / "key"

    def quoin(self, *words, code=0):
        done = subprocess.run([PROGRAM, "lms", *map(str, words)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, cwd=self.folder, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def keygen(self, *more, code=0):
        return self.quoin("keygen", self.key, "--passphrase-file", self.passphrase, *more, code=code)

    def sign(self, *files, code=0):
        return self.quoin("sign", self.key, *(files or [self.image]), "--passphrase-file", self.passphrase, code=code)

    def test_sign_and_verify__good_and_changed__0_and_1(self):
        self.keygen("--levels", "5/4")
        self.assertEqual(self.key.stat().st_mode & 0o777, 0o700)
        self.assertIn("ENCRYPTED PRIVATE KEY", (self.key / "private.key").read_text())
        self.sign()
        signature = self.folder / "image.bin.lms"
        self.assertEqual(signature.stat().st_size, 2352)
        self.assertIn("good signature", self.quoin("verify", self.key / "public.pem", self.image))
        self.image.write_bytes(self.image.read_bytes() + b"x")
        self.assertIn("image.bin", self.quoin("verify", self.key / "public.pem", self.image, code=1))

    def test_status__after_signing__counts_and_warns(self):
        self.keygen("--levels", "5/8")
        for name in range(30):
            (self.folder / str(name)).write_text("")
        said = self.sign(*(self.folder / str(name) for name in range(30)))
        self.assertIn("2 of 32 signatures are left", said)
        status = json.loads(self.quoin("status", self.key, "--json"))
        self.assertEqual((status["used"], status["left"], status["runs_low"]), (30, 2, True))
        for name in ("a", "b", "c"):
            (self.folder / name).write_text("")
        said = self.sign(*(self.folder / name for name in "abc"), code=1)
        self.assertIn("2 signatures are left, 3 files", said)
        self.sign(self.folder / "a", self.folder / "b")
        self.assertIn("0 signatures are left", self.sign(self.folder / "c", code=1))
        self.assertFalse((self.folder / "c.lms").exists())

    def test_hss__two_levels_and_shake__verifies(self):
        said = json.loads(self.keygen("--levels", "5/4,5/4", "--hash", "shake256-192", "--json"))
        self.assertEqual(said["signatures"], 1024)
        self.sign()
        self.assertEqual((self.folder / "image.bin.lms").stat().st_size, said["signature_size_bytes"])
        self.assertIn("HSS of 2 levels", self.quoin("verify", self.key, self.image))

    def test_keygen__twice__refused_and_kept(self):
        self.keygen("--levels", "5/8")
        public = (self.key / "public.pem").read_text()
        self.assertIn("is there already", self.keygen("--levels", "5/8", code=1))
        self.assertEqual((self.key / "public.pem").read_text(), public)

    def test_words__wrong__2_and_what_to_write(self):
        self.assertIn("HEIGHT/WIDTH", self.keygen("--levels", "15", code=2))
        self.assertIn("5, 10, 15, 20 or 25", self.keygen("--levels", "7/4", code=2))
        self.assertIn("sha256-192", self.keygen("--hash", "md5", code=2))
        self.assertIn("--passphrase-file FILE", self.quoin("keygen", self.key, code=2))
        self.quoin(code=2)
        self.assertFalse(self.key.exists())

    def test_sign__wrong_passphrase_shared_file_or_signature_there__refused_without_an_index(self):
        self.keygen("--levels", "5/8")
        self.sign()
        self.assertIn("image.bin.lms: is there already", self.sign(code=1))
        (self.folder / "image.bin.lms").unlink()
        self.passphrase.write_text("wrong\n")
        self.assertIn("wrong passphrase", self.sign(code=2))
        self.passphrase.chmod(0o644)
        self.assertIn("chmod 600", self.sign(code=2))
        self.assertEqual(json.loads(self.quoin("status", self.key, "--json"))["used"], 1)

    def test_sign__no_place_for_a_signature__refused_without_an_index(self):
        self.keygen("--levels", "5/8")
        other = self.folder / "other"
        other.mkdir()
        (self.folder / "here").symlink_to(self.folder)
        for again in (self.image, "./image.bin", self.folder / "other/../image.bin", self.folder / "here/image.bin"):
            self.assertIn("image.bin: is named twice", self.sign(self.image, again, code=2))
            self.assertIn("image.bin: is named twice", self.sign("image.bin", again, code=2))
        self.assertIn("/proc/version.lms: cannot create", self.sign(self.image, "/proc/version", code=1))
        (self.folder / ("n" * 250)).write_text("")  # with .lms a name too long
        self.assertIn("no signature was spent", self.sign(self.folder / ("n" * 250), code=1))
        (self.folder / "image.bin.lms").symlink_to("nowhere")
        self.assertIn("image.bin.lms: is there already", self.sign(code=1))
        (self.folder / "image.bin.lms").unlink()
        self.assertEqual(json.loads(self.quoin("status", self.key, "--json"))["used"], 0)
        self.assertEqual(sorted(os.listdir(other)), [])
        self.assertEqual(sorted(os.listdir(self.folder)),
                         ["here", "image.bin", "key", "n" * 250, "other", "passphrase"])
        self.sign(self.image, other.parent / "passphrase")
        self.assertEqual(json.loads(self.quoin("status", self.key, "--json"))["used"], 2)

    def counters(self, *words, code=0):
        done = subprocess.run([PROGRAM, "counters", *map(str, words)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, cwd=self.folder, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_counter__damaged_or_gone__refused_until_adopted_and_spent(self):
        self.assertIn("ANCHOR: none", self.keygen("--levels", "5/8"))
        file = self.key / "counters"
        self.assertIn("a restored disk is NOT noticed", self.counters("status", file))
        good = file.read_text()
        file.write_text(good.replace("index 0", "index 1"))
        self.assertIn("damaged", self.sign(code=1))
        self.assertIn("--name and --anchor", self.counters("adopt", file, code=1))
        file.unlink()
        self.assertIn(str(file), self.sign(code=1))
        file.write_text(good)
        self.assertIn("--danger-no-other-copy", self.counters("adopt", file, code=2))
        self.assertIn("make new keys", self.counters("adopt", file, "--danger-no-other-copy"))
        self.assertIn("0 signatures are left", self.sign(code=1))
        self.assertEqual(json.loads(self.counters("status", file, "--json"))["state"], "sound")

    def test_sign__killed_at_any_moment__no_index_twice(self):
        self.keygen("--levels", "5/8")
        seen = set()
        kills = 0
        for round_ in range(12):
            process = subprocess.Popen([PROGRAM, "lms", "sign", str(self.key), str(self.image), "--passphrase-file",
                                        str(self.passphrase)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(timeout=0.05 * round_ if round_ < 11 else None)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                kills += process.wait() == -signal.SIGKILL
            signature = self.folder / "image.bin.lms"
            if signature.exists():
                index = int.from_bytes(signature.read_bytes()[4:8], "big")
                self.assertNotIn(index, seen)
                seen.add(index)
                signature.unlink()
        self.assertGreater(kills, 0)
        self.assertGreater(len(seen), 0)
        status = json.loads(self.quoin("status", self.key, "--json"))
        self.assertGreaterEqual(status["used"], len(seen))

    def test_help__each_command__teaches(self):
        for words in ([], ["keygen"], ["sign"], ["verify"], ["status"]):
            self.assertIn("KEY" if words else "Never copy", self.quoin(*words, "--help"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
