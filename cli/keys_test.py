"""`quoin keys` from the outside: exit codes, JSON, messages, and a TPM and a token. argv[1] is the program, argv[2] quoin-se."""
import base64
import json
import os
import pathlib
import select
import socket
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1)
ELEMENT = sys.argv.pop(1)


def quoin(*words):
    done = subprocess.run([PROGRAM, "keys", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


def listens(path):
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def extend_pcr(path, pcr):
    """TPM2_PCR_Extend (part 3, section 22.2) with one digest of zeros but its first byte, as it goes over the wire."""
    command = (bytes.fromhex("8002") + (65).to_bytes(4, "big") + bytes.fromhex("00000182") + pcr.to_bytes(4, "big") +
               bytes.fromhex("00000009" "40000009" "0000" "00" "0000") +
               bytes.fromhex("00000001" "000b") + b"\1" + bytes(31))
    with socket.socket(socket.AF_UNIX) as tpm:
        tpm.connect(path)
        tpm.sendall(command)
        answer = tpm.recv(4096)
    assert answer[6:10] == bytes(4), answer.hex()


class Keys(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="quoin-keys-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def whole_life(self, store, algorithm, kind):
        self.assertEqual(quoin("list", "--store", store)[0], 1)
        code, out, err = quoin("create", "--json", "--store", store)
        self.assertEqual(code, 0, err)
        self.assertEqual(json.loads(out)["kind"], kind)
        self.assertIn(algorithm, json.loads(out)["algorithms"])
        code, _, err = quoin("create", "--store", store)
        self.assertEqual(code, 1)
        code, out, err = quoin("generate", "device", "--algorithm", algorithm, "--json", "--store", store)
        self.assertEqual(code, 0, err)
        made = json.loads(out)
        self.assertEqual(base64.b64decode(made["public_key"])[0], 0x30)
        code, out, err = quoin("show", "device", "--json", "--store", store)
        self.assertEqual((code, json.loads(out)), (0, made), err)
        code, out, _ = quoin("list", "--store", store)
        self.assertEqual(code, 0)
        self.assertIn("device", out)
        self.assertIn(made["residence"], out)
        code, out, err = quoin("pct", "device", "--rounds", "20", "--json", "--store", store)
        self.assertEqual(code, 0, err)
        self.assertEqual(json.loads(out), {"name": "device", "rounds": 20, "result": "consistent"})
        code, _, err = quoin("generate", "b", "--algorithm", algorithm, "--user", "7", "--store", store)
        self.assertEqual(code, 1)
        self.assertRegex(err, "cannot keep to (that|a) policy")
        code, _, err = quoin("zeroize", "--store", store)
        self.assertEqual(code, 2)
        self.assertIn("--danger-forever", err)
        self.assertEqual(quoin("show", "device", "--store", store)[0], 0)
        code, _, err = quoin("zeroize", "--danger-forever", "--store", store)
        self.assertEqual(code, 0, err)
        for words in (["show", "device"], ["list"], ["zeroize", "--danger-forever"],
                      ["generate", "b", "--algorithm", algorithm]):
            code, _, err = quoin(*words, "--store", store)
            self.assertEqual(code, 1)
            self.assertIn("zeroized", err)

    def sealed_key(self, store):
        blob = f"{self.folder}/blob"
        self.assertEqual(quoin("seal", "--blob", blob, "--store", store)[0], 0)
        self.assertEqual(quoin("seal", "--blob", blob, "--store", store)[0], 1)
        unsealed = [subprocess.run([PROGRAM, "keys", "unseal", "--blob", blob, "--store", store],
                                   capture_output=True, check=True).stdout for _ in range(2)]
        self.assertEqual(len(unsealed[0]), 32)
        self.assertEqual(unsealed[0], unsealed[1])
        self.assertNotIn(unsealed[0], pathlib.Path(blob).read_bytes())
        with open(f"{self.folder}/clear", "wb") as file:
            done = subprocess.run([PROGRAM, "keys", "unseal", "--blob", blob, "--store", store],
                                  stdout=file, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("into a pipe only", done.stderr)
        self.assertEqual(pathlib.Path(f"{self.folder}/clear").read_bytes(), b"")

    def wait_for(self, process, ready):
        for _ in range(1000):
            if ready():
                return
            self.assertIsNone(process.poll(), f"{process.args[0]} ended at once")
            select.select([], [], [], 0.01)
        self.fail(f"{process.args[0]} does not listen")

    def end(self, process):
        process.terminate()
        process.wait()

    def start_swtpm(self):
        path = f"{self.folder}/tpm.sock"
        swtpm = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}", "--server", f"type=unixio,path={path}",
             "--ctrl", f"type=unixio,path={path}.ctrl", "--flags", "not-need-init,startup-clear",
             "--seccomp", "action=none", "--log", f"file={self.folder}/log"])
        self.addCleanup(self.end, swtpm)
        self.wait_for(swtpm, lambda: listens(path) and listens(path + ".ctrl"))
        return path

    # quoin-se with a key that `unseal` writes into its pipe.
    def start_element(self, blob, store):
        unseal = subprocess.Popen([PROGRAM, "keys", "unseal", "--blob", blob, "--store", store],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        element = subprocess.Popen(
            [ELEMENT, "--home", f"{self.folder}/se", "--seal-key-fd", str(unseal.stdout.fileno()),
             "--danger-unlocked-memory"], pass_fds=[unseal.stdout.fileno()], stderr=subprocess.DEVNULL)
        self.addCleanup(self.end, element)
        unseal.stdout.close()
        unseal.wait()
        return element

    # openssl(1), which never holds the key, signs a certificate with it.
    def certificate_by_reference(self, store, public_key):
        code, reference, err = quoin("reference", "device", "--store", store)
        self.assertEqual(code, 0, err)
        self.assertTrue(reference.startswith("-----BEGIN QUOIN KEY REFERENCE-----\n"), reference)
        (self.folder / "device.key").write_text(reference, encoding="ascii")
        settings = pathlib.Path(PROGRAM).parent.parent / "lib/quoin/openssl.cnf"
        made = subprocess.run(["openssl", "req", "-x509", "-new", "-key", self.folder / "device.key", "-subj", "/CN=device"],
                              capture_output=True, env={**os.environ, "OPENSSL_CONF": str(settings)}, check=True)
        shown = subprocess.run(["openssl", "x509", "-noout", "-pubkey"], input=made.stdout, capture_output=True, check=True)
        self.assertEqual("".join(shown.stdout.decode().splitlines()[1:-1]), public_key)
        self.assertEqual(quoin("reference", "nobody", "--store", store)[0], 1)

    def test_secure_element__sealed_by_a_tpm__starts_while_the_pcrs_match(self):
        path = self.start_swtpm()
        blob = f"{self.folder}/se.sealed"
        tpm = f"tpm:tcti=swtpm:path={path};dir={self.folder}/tpm;pcrs=16"
        element_socket = f"{self.folder}/se/se.sock"
        element_store = f"se:socket={element_socket}"
        self.assertEqual(quoin("create", "--store", tpm)[0], 0)
        self.assertEqual(quoin("seal", "--blob", blob, "--store", tpm)[0], 0)
        element = self.start_element(blob, tpm)
        self.wait_for(element, lambda: listens(element_socket))
        code, made, err = quoin("generate", "device", "--algorithm", "ML-DSA-65", "--json", "--store", element_store)
        self.assertEqual(code, 0, err)
        self.certificate_by_reference(element_store, json.loads(made)["public_key"])
        code, out, err = quoin("generate", "shared", "--algorithm", "ML-DSA-65", "--user", "nobody", "--user", "7", "--json",
                               "--store", element_store)
        self.assertEqual((code, json.loads(out)["policy"]), (0, {"users": [65534, 7]}), err)
        code, _, err = quoin("generate", "b", "--algorithm", "ML-DSA-65", "--user", "no such", "--store", element_store)
        self.assertEqual(code, 2, err)
        self.end(element)

        element = self.start_element(blob, tpm)
        self.wait_for(element, lambda: listens(element_socket))
        code, out, err = quoin("show", "device", "--json", "--store", element_store)
        self.assertEqual((code, out), (0, made), err)
        self.end(element)

        extend_pcr(path, 16)
        code, out, err = quoin("unseal", "--blob", blob, "--store", tpm)
        self.assertEqual((code, out), (1, ""))
        self.assertIn("PCRs", err)
        self.assertNotEqual(self.start_element(blob, tpm).wait(timeout=30), 0)

    def test_software__created_used_wiped__gone(self):
        self.whole_life(f"software:{self.folder}/keys", "ML-DSA-65", "software")
        self.assertEqual(list((self.folder / "keys").iterdir()), [])

    def test_tpm__created_used_wiped__gone(self):
        path = self.start_swtpm()
        store = f"tpm:tcti=swtpm:path={path};dir={self.folder}/tpm;pcrs=16"
        self.whole_life(store, "ECDSA-P256", "tpm")
        self.assertEqual(quoin("create", "--store", store)[0], 0)
        self.sealed_key(store)
        wrong = self.folder / "wrong"
        wrong.write_text("wrong\n", encoding="ascii")
        wrong.chmod(0o600)
        code, _, err = quoin("list", "--store", f"{store};auth={wrong}")
        self.assertEqual(code, 1)
        self.assertIn("authorisation", err)
        self.assertNotIn("ERROR:", err)  # tpm2-tss' own words

    def test_pkcs11__created_used_wiped__gone(self):
        (self.folder / "tokens").mkdir()
        configuration = self.folder / "softhsm2.conf"
        configuration.write_text(f"directories.tokendir = {self.folder}/tokens\n", encoding="ascii")
        os.environ["SOFTHSM2_CONF"] = str(configuration)
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "plant", "--pin", "1234",
                        "--so-pin", "56785678"], check=True, capture_output=True)
        pin = self.folder / "pin"
        pin.write_text("1234\n", encoding="ascii")
        pin.chmod(0o600)
        module = "pkcs11:module=/usr/lib/softhsm/libsofthsm2.so;token=plant"
        self.whole_life(f"{module};pin={pin}", "Ed25519", "pkcs11")
        pin.write_text("4321\n", encoding="ascii")
        code, _, err = quoin("list", "--store", f"{module};pin={pin}")
        self.assertEqual(code, 1)
        self.assertIn("CKR_PIN_INCORRECT", err)

    def test_generate__policy_the_store_cannot_enforce__refused(self):
        store = f"software:{self.folder}/keys"
        self.assertEqual(quoin("create", "--store", store)[0], 0)
        code, _, err = quoin("generate", "a", "--algorithm", "Ed25519", "--max-uses", "3", "--store", store)
        self.assertEqual(code, 1)
        self.assertRegex(err, "cannot keep to (that|a) policy")
        code, out, err = quoin("generate", "a", "--algorithm", "Ed25519", "--message-prefix", "v1:", "--json",
                               "--store", store)
        self.assertEqual(code, 0, err)
        self.assertEqual(json.loads(out)["policy"], {"message_prefix": "v1:"})

    def test_store__missing_or_unknown__usage(self):
        self.assertEqual(quoin("list")[0], 2)
        code, _, err = quoin("list", "--store", "floppy:a")
        self.assertEqual(code, 2)
        self.assertIn("software se tpm pkcs11", err)

    def test_help__each_command__teaches(self):
        for words in (["--help"], ["generate", "--help"]):
            code, out, _ = quoin(*words)
            self.assertEqual(code, 0)
            self.assertIn("quoin keys generate", out)


if __name__ == "__main__":
    unittest.main(verbosity=2)
