"""Certificates to measure TLS with: a root, what it issues, a server and a client, by openssl(1) with our provider."""
import dataclasses
import os
import pathlib
import shutil
import subprocess

COMPOSITE_44 = "id-MLDSA44-Ed25519-SHA512"
COMPOSITE_65 = "id-MLDSA65-Ed25519-SHA512"

SCHEMES = {"P-256": "ecdsa_secp256r1_sha256", "ML-DSA-44": "mldsa44", "ML-DSA-65": "mldsa65",
           COMPOSITE_44: "mldsa44_ed25519", COMPOSITE_65: "mldsa65_ed25519"}

# For the program that makes the chains, and for the client: our provider before OpenSSL's.
PROVIDERS = """openssl_conf = main
[main]
providers = providers
alg_section = algorithms
ssl_conf = programs
[algorithms]
default_properties = ?provider=quoin
[providers]
default = default_provider
quoin = quoin_provider
[default_provider]
activate = 1
[quoin_provider]
module = {module}
activate = 1
"""


def provider():
    """quoin.so of the build whose programs are on PATH."""
    program = shutil.which("quoin")
    if not program:
        raise RuntimeError("quoin is not on PATH: run ./dev bench")
    return pathlib.Path(program).resolve().parent.parent / "lib/quoin/quoin.so"


@dataclasses.dataclass(frozen=True)
class Suite:
    name: str
    group: str
    root: str
    issuing: str
    leaf: str

    @property
    def schemes(self):
        """The signatures of a handshake and of what the issuing CA signs, as OpenSSL lists them."""
        return ":".join(dict.fromkeys([SCHEMES[self.leaf], SCHEMES[self.issuing]]))


def same(name, group, algorithm):
    return Suite(name, group, algorithm, algorithm, algorithm)


CLASSICAL = same("classical", "X25519", "P-256")
ML_DSA_44 = same("ML-DSA-44", "X25519MLKEM768", "ML-DSA-44")
ML_DSA_65 = same("ML-DSA-65", "X25519MLKEM768", "ML-DSA-65")
ALL_44 = same("composite-44", "X25519MLKEM768", COMPOSITE_44)
ALL_65 = same("composite-65", "X25519MLKEM768", COMPOSITE_65)
LEAF_44 = Suite("composite-44 under -65", "X25519MLKEM768", COMPOSITE_65, COMPOSITE_65, COMPOSITE_44)
PURE = Suite("pure", "MLKEM768", "SLH-DSA-SHA2-128s", "ML-DSA-65", "ML-DSA-65")
PURE_44 = Suite("pure, ML-DSA-44 leaf", "MLKEM768", "SLH-DSA-SHA2-128s", "ML-DSA-65", "ML-DSA-44")


class Chain:
    """The files of a suite: root.pem, known.pem (root, issuing), and NAME.pem (leaf, issuing) with NAME.key."""

    def __init__(self, folder, suite):
        self.folder, self.suite = pathlib.Path(folder), suite
        self.folder.mkdir()
        self.settings = self.at("openssl.cnf")
        self.settings.write_text(PROVIDERS.format(module=provider()) + "[programs]\n[req]\ndistinguished_name=dn\n[dn]\n")
        self._generate("root", suite.root)
        self._openssl("req", "-x509", "-new", "-key", self.at("root.key"), "-subj", "/CN=bench root", "-days", "10",
                      "-out", self.at("root.pem"), "-addext", "basicConstraints=critical,CA:TRUE",
                      "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self._generate("issuing", suite.issuing)
        self._sign("issuing", self.at("issuing.key"), "root",
                   "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n")
        # Whoever knows the issuing certificate before uses its own, whose key is loaded and expanded already.
        self.at("known.pem").write_text(self.at("root.pem").read_text() + self.at("issuing.pem").read_text())
        for name in ("server", "client"):
            self._generate(name, suite.leaf)
            self.certify(name, self.at(f"{name}.key"))

    def at(self, name):
        return self.folder / name

    def certify(self, name, key):
        """NAME.pem: a leaf for the key, and the issuing certificate after it."""
        use = "clientAuth" if name == "client" else "serverAuth"
        self._sign(name, key, "issuing", "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                   f"extendedKeyUsage={use}\nsubjectAltName=DNS:localhost\n")
        leaf = self.at(f"{name}.pem").read_text() + self.at("issuing.pem").read_text()
        self.at(f"{name}.pem").write_text(leaf)

    def _openssl(self, *words):
        done = subprocess.run(["openssl", *words], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "OPENSSL_CONF": str(self.settings)})
        if done.returncode != 0:
            raise RuntimeError(f"openssl {' '.join(map(str, words))}: {done.stderr}")

    def _generate(self, name, algorithm):
        words = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"] if algorithm == "P-256" else ["-algorithm", algorithm]
        self._openssl("genpkey", *words, "-out", self.at(f"{name}.key"))

    def _sign(self, name, key, issuer, extensions):
        # As host/x509 has it: RFC 5280 wants both identifiers.
        self.at(f"{name}.ext").write_text(extensions + "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        self._openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", self.at(f"{name}.csr"))
        self._openssl("x509", "-req", "-in", self.at(f"{name}.csr"), "-CA", self.at(f"{issuer}.pem"),
                      "-CAkey", self.at(f"{issuer}.key"), "-days", "9", "-extfile", self.at(f"{name}.ext"),
                      "-out", self.at(f"{name}.pem"))
