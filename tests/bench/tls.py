"""./dev bench tls: what post-quantum TLS costs an unmodified Mosquitto, with OpenSSL's own code and with our provider; what
key stores cost; bytes on the wire. tls_page writes docs/tls.md, docs/tls.svg and the README's table from the figures."""
import contextlib
import datetime
import os
import pathlib
import shutil
import statistics
import tempfile

import chains
import stores as key_stores
import tls_page
from broker import Broker, Settings, with_defaults

PARALLEL = 8
CONNECTIONS = 160  # of a round
RESUMING = (("classical", False), ("ML-DSA-65", False), ("ML-DSA-65", True), ("composite-65", True))  # with our provider?


def median(values):
    return statistics.median(values)


def spread(values):
    """(max - min) / median, as a share."""
    return (max(values) - min(values)) / median(values)


def code_of(settings):
    return "our provider" if settings.provider else "OpenSSL"


class Row:
    """One way to be measured, and what its rounds saw."""

    def __init__(self, broker, **labels):
        self.broker, self.labels, self.rounds = broker, labels, []

    def measure(self, connections=CONNECTIONS, parallel=PARALLEL, resume=False):
        seen = self.broker.connect(connections, parallel, resume)
        if seen["resumed"] != (seen["connections"] if resume else 0):
            raise RuntimeError(f"{seen['resumed']} of {seen['connections']} connections were resumed")
        self.rounds.append(seen)

    def figures(self):
        cpu_us = [sum(seen["cpu_us"]) for seen in self.rounds]
        last = self.rounds[-1]
        return {**self.labels, "cpu_us": median(cpu_us), "spread": spread(cpu_us), "rounds_cpu_us": cpu_us,
                "per_core_second": 1e6 / median(cpu_us), "wall_per_second": median([s["per_second"] for s in self.rounds]),
                "latency_us": median([s["latency_median_us"] for s in self.rounds]),
                "latency_p99_us": median([s["latency_p99_us"] for s in self.rounds]),
                "server_flight_bytes": last["server_flight_bytes"], "to_client_bytes": last["to_client_bytes"],
                "to_server_bytes": last["to_server_bytes"]}


def in_rounds(rounds, rows, progress, what, **options):
    """The rows by turns, in every round."""
    for number in range(rounds):
        progress(f"{what}: round {number + 1} of {rounds}")
        for row in rows:
            row.measure(**options)
    return [row.figures() for row in rows]


def connections(rounds, suites, progress):
    with contextlib.ExitStack() as stack:
        plain = Broker(suites["classical"], Settings(tls=False, provider=False))
        rows = [Row(stack.enter_context(plain), suite="no TLS at all", code="", settings="configured")]
        for suite in suites.values():
            ways = [False] if suite.suite == chains.CLASSICAL else [False, True]
            for uses_provider in ways if "composite" not in suite.suite.name else [True]:
                for settings in (with_defaults(uses_provider), Settings(provider=uses_provider)):
                    rows.append(Row(stack.enter_context(Broker(suite, settings)), suite=suite.suite.name,
                                    code=code_of(settings), settings=settings.name))
        return in_rounds(rounds, rows, progress, "connections to Mosquitto")


def tickets_and_nodelay(rounds, suites, progress):
    """Processor time with many connections at a time, latency with one."""
    with contextlib.ExitStack() as stack:
        busy, alone = [], []
        for suite, provider in ((suites["classical"], False), (suites["composite-65"], True)):
            for nodelay in (False, True):
                for tickets in (2, 0):
                    broker = stack.enter_context(Broker(suite, Settings(nodelay=nodelay, tickets=tickets, provider=provider)))
                    labels = {"suite": suite.suite.name, "nodelay": nodelay, "tickets": tickets}
                    busy.append(Row(broker, **labels))
                    alone.append(Row(broker, **labels))
        figures = in_rounds(rounds, busy, progress, "settings, eight at a time", connections=80)
        one = in_rounds(rounds, alone, progress, "settings, one at a time", connections=16, parallel=1)
    for many, single in zip(figures, one):
        many |= {"latency_us": single["latency_us"], "latency_p99_us": single["latency_p99_us"]}
    return figures


def forwarding(rounds, suite, messages, progress):
    """What Mosquitto takes to pass QoS 1 messages from one client to another, with and without set_tcp_nodelay."""
    with contextlib.ExitStack() as stack:
        rows = [{"nodelay": nodelay, "cpu_us": [], "per_second": [],
                 "broker": stack.enter_context(Broker(suite, Settings(nodelay=nodelay)))} for nodelay in (False, True)]
        for number in range(rounds):
            progress(f"messages: round {number + 1} of {rounds}")
            for row in rows:
                cpu_ns, seconds = row["broker"].forward(messages)
                row["cpu_us"].append(cpu_ns / 1000 / messages)
                row["per_second"].append(messages / seconds)
    return [{"nodelay": row["nodelay"], "cpu_us": median(row["cpu_us"]), "spread": spread(row["cpu_us"]),
             "per_second": median(row["per_second"])} for row in rows]


def resumption(rounds, suites, progress):
    with contextlib.ExitStack() as stack:
        rows = []
        for name, provider in RESUMING:
            for stateful in (False, True):
                settings = Settings(provider=provider, tickets=1, stateful=stateful)
                broker = stack.enter_context(Broker(suites[name], settings))
                labels = {"suite": name, "code": code_of(settings), "stateful": settings.stateful}
                rows.append((Row(broker, **labels, resumed=False), Row(broker, **labels, resumed=True)))
        for number in range(rounds):
            progress(f"resumption: round {number + 1} of {rounds}")
            for full, resumed in rows:
                full.measure(80)
                resumed.measure(80, resume=True)
        return [row.figures() for pair in rows for row in pair]


def flights(folder, suites):
    """Bytes that the server sends from ServerHello to Finished, and the certificates' own."""
    found = []
    extra = [chains.Chain(folder / f"flight-{number}", suite) for number, suite in enumerate([chains.LEAF_44, chains.PURE_44])]
    for chain in [*suites.values(), *extra]:
        with Broker(chain, Settings(provider=chain.suite != chains.CLASSICAL)) as broker:
            row = Row(broker, suite=chain.suite.name, root=chain.suite.root, issuing=chain.suite.issuing, leaf=chain.suite.leaf)
            row.measure(2, 1)
            found.append(row.figures())
    return found


def in_key_stores(rounds, suites, stores, progress):
    """The broker's key in clear, in quoin-se, and in a quoin-se sealed by a TPM; processor time of Mosquitto and quoin-se."""
    with contextlib.ExitStack() as stack:
        rows = []
        for label, chain, algorithm in (("classical", suites["classical"], None),
                                        ("hybrid", suites["composite-65"], "ML-DSA-65+Ed25519"),
                                        ("pure", suites["pure"], "ML-DSA-65")):
            settings = Settings(provider=algorithm is not None)
            rows.append(Row(stack.enter_context(Broker(chain, settings)), suite=label, store="software"))
            for name, element in (("quoin-se", stores.element), ("TPM-sealed", stores.sealed)) if algorithm else ():
                reference = chain.at(f"{name}.key")
                reference.write_text(element.reference(f"broker-{label}", algorithm), encoding="ascii")
                chain.certify(name, reference)
                broker = Broker(chain, settings, key=reference, certificate=chain.at(f"{name}.pem"),
                                helpers=[element.program.pid])
                rows.append(Row(stack.enter_context(broker), suite=label, store=name))
        return in_rounds(rounds, rows, progress, "key stores in handshakes")


def measure(options, progress):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="quoin-bench-tls-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        progress("certificates and key stores")
        suites = {suite.name: chains.Chain(folder / suite.name, suite)
                  for suite in (chains.CLASSICAL, chains.ML_DSA_44, chains.ML_DSA_65, chains.ALL_44, chains.ALL_65, chains.PURE)}
        pure = suites.pop("pure")
        rounds = options.rounds
        figures = {"date": datetime.date.today().isoformat(), "commit": os.environ.get("QUOIN_COMMIT", "unknown"),
                   "machine": os.environ.get("QUOIN_MACHINE", "unknown machine"),
                   "rounds": rounds, "load": [os.getloadavg()[0]]}
        figures["connections"] = connections(rounds, suites, progress)
        figures["settings"] = tickets_and_nodelay(rounds, suites, progress)
        figures["forwarding"] = forwarding(rounds, suites["composite-65"], 20000, progress)
        figures["resumption"] = resumption(rounds, suites, progress)
        suites["pure"] = pure
        figures["flights"] = flights(folder, suites)
        stores = key_stores.Stores(folder / "stores")
        stack.callback(stores.close)
        figures["in_key_stores"] = in_key_stores(rounds, suites, stores, progress)
        progress("key stores")
        figures["key_stores"] = key_stores.measure(stores, rounds, 150)
        figures["load"].append(os.getloadavg()[0])
    return figures


def run(options, progress):
    figures = measure(options, progress)
    print(tls_page.tables(figures), flush=True)
    if options.write:
        tls_page.write(figures)
    return figures
