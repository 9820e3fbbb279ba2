"""`quoin crypto` from the outside: exit codes, JSON, messages. argv[1] is the program."""
import json
import subprocess
import sys
import unittest

PROGRAM = sys.argv.pop(1)


def quoin(*words):
    done = subprocess.run([PROGRAM, "crypto", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          check=False)
    return done.returncode, done.stdout, done.stderr


class Crypto(unittest.TestCase):
    def test_selftest__every_backend__all_right_and_said(self):
        code, out, _ = quoin("selftest", "--json")
        answer = json.loads(out)
        self.assertEqual((code, answer["failed"]), (0, 0))
        self.assertEqual(answer["passed"], len(answer["results"]))
        portable = {row["operation"] for row in answer["results"] if row["backend"] == "portable"}
        for operation in ("ML-KEM-768 decaps", "ML-DSA-65 sign", "ML-DSA-87 verify", "Ed25519 verify 1 KiB", "HKDF-SHA-256"):
            self.assertIn(operation, portable)
        code, out, _ = quoin("selftest")
        self.assertEqual(code, 0)
        self.assertIn(f"{answer['passed']} of {answer['passed']} known answers are right", out)

    def test_speed__one_operation__ratio_of_this_run(self):
        code, out, _ = quoin("speed", "ML-KEM-512", "LMS", "--rounds", "3", "--round-ms", "0.2", "--json")
        self.assertEqual(code, 0)
        answer = json.loads(out)
        self.assertTrue(answer["machine"])
        rows = {row["operation"]: row for row in answer["results"]}
        self.assertEqual(len(rows), 5)
        encaps = rows["ML-KEM-512 encaps"]
        self.assertEqual(set(encaps), {"operation", "ours_us", "openssl_us", "ratio", "spread"})
        self.assertGreater(encaps["ratio"], 0)
        self.assertEqual(set(rows["LMS SHA-256 H10 W4 verify"]), {"operation", "ours_us", "spread"})

    def test_speed__for_people__a_line_each(self):
        code, out, _ = quoin("speed", "SHA-256", "--rounds", "3", "--round-ms", "0.2")
        self.assertEqual(code, 0)
        self.assertIn("OpenSSL us", out)
        self.assertIn("SHA-256 16 KiB", out)

    def test_speed__unknown_name__says_so(self):
        code, _, err = quoin("speed", "ROT13")
        self.assertNotEqual(code, 0)
        self.assertIn("no operation has ROT13 in its name", err)

    def test_help__each_command__teaches(self):
        for words in (["--help"], ["selftest", "--help"], ["speed", "--help"]):
            code, out, _ = quoin(*words)
            self.assertEqual(code, 0)
            self.assertIn("quoin crypto speed" if words[0] == "speed" else "quoin crypto selftest", out)


if __name__ == "__main__":
    unittest.main(verbosity=2)
