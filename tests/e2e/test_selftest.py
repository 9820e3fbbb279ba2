"""Programs that test themselves: one that finds a wrong answer, or a changed file in approved mode, does not listen."""

import itertools
import json
import os
import pathlib
import shutil
import subprocess
import urllib.request

import pytest

from lib.plant import Plant, quoin

BIN = pathlib.Path(shutil.which("quoin")).parent
FAULTY = BIN.parent / "tests/faulty/quoin.so"


def run(*words, **variables):
    done = subprocess.run([str(word) for word in words], env={**os.environ, **variables}, capture_output=True, text=True,
                          timeout=30, stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("test", ["ML-KEM-768", "ML-DSA-65+Ed25519", "X25519MLKEM768", "pair of ML-DSA-65"])
def test_selftest__wrong_answer_of_the_provider__no_program_starts(test, tmp_path):
    (tmp_path / "passphrase").write_text("a passphrase of a test\n")
    (tmp_path / "passphrase").chmod(0o600)
    home = tmp_path / "home"
    home.mkdir()
    programs = [(BIN / "quoind", "--home", home), (BIN / "quoin-agent", "--home", home),
                ("quoin", "pki", "init", "--home", home, "--site", "x", "--root-passphrase-file", tmp_path / "passphrase")]
    if test == "pair of ML-DSA-65":  # only who makes a key meets it
        programs = [("quoin", "integrity", "sign", "--home", home, "--key", tmp_path / "k", "--public-key", tmp_path / "p",
                     "--passphrase-file", tmp_path / "passphrase")]
    if test == "X25519MLKEM768":  # needs no provider, but tests what it has
        programs.append((BIN / "quoin-se", "--home", home / "se", "--passphrase-file", tmp_path / "passphrase",
                         "--danger-unlocked-memory"))
    for program in programs:
        code, said = run(*program, QUOIN_PROVIDER=str(FAULTY), QUOIN_FAULT=test)
        assert code == 1 or code == 2, said
        assert f'"{test}"' in said, said


OVERLAY = """
[listen]
https = "127.0.0.1:0"
http = "127.0.0.1:0"
"""


def test_approved_mode__one_byte_changed__refused_by_name_and_else_as_ever(tmp_path):
    plant = Plant(overlay=OVERLAY)
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("a passphrase of a test\n")
    passphrase.chmod(0o600)
    pinned = tmp_path / "pinned.pub"
    quoin("integrity", "sign", "--home", plant.home, "--key", tmp_path / "integrity.key", "--public-key", pinned,
          "--passphrase-file", passphrase)
    approved = {"QUOIN_FIPS_MODE": "1", "QUOIN_INTEGRITY_KEY": str(pinned)}
    quoind = subprocess.Popen([BIN / "quoind", "--home", plant.home], env={**os.environ, **approved},
                              stderr=subprocess.PIPE, text=True)
    log = iter(quoind.stderr.readline, "")
    lines = list(itertools.takewhile(lambda line: " up in " not in line, log))
    http = json.loads((plant.home / "run/ports.json").read_text())["http"]
    metrics = urllib.request.urlopen(f"http://127.0.0.1:{http}/metrics", timeout=10).read().decode()
    quoind.terminate()
    quoind.communicate(timeout=20)
    assert any("state=operational mode=approved" in line for line in lines), lines
    assert "quoin_crypto_approved_mode 1" in metrics and "quoin_crypto_operational 1" in metrics

    configuration = plant.home / "quoin.toml"
    before = configuration.read_bytes()
    configuration.write_bytes(before + b"\n")
    for program in (("quoin", "up"), (BIN / "quoind",)):
        code, said = run(*program, "--home", plant.home, **approved)
        assert code == 1 and "quoin.toml: is not what the integrity manifest says" in said, said
    configuration.write_bytes(before)
    genuine = BIN.parent / "lib/quoin/quoin.so"
    for name, variables in ((genuine, {}), (BIN / "quoind", {"QUOIN_PROVIDER": str(genuine)})):
        changed = tmp_path / name.name
        shutil.copy(name, changed)
        with changed.open("ab") as file:
            file.write(b"\0")
        program = changed if variables else BIN / "quoind"
        code, said = run(program, "--home", plant.home, **approved, **(variables or {"QUOIN_PROVIDER": str(changed)}))
        assert code == 1 and f"{changed}: is not in the integrity manifest" in said, said
    code, said = run("quoin", "pki", "init", "--danger-allow-classical", "--home", tmp_path / "other", **approved)
    assert code == 2 and "--danger-allow-classical is not allowed in approved mode" in said, said
    plant.remove()
