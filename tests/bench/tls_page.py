"""The figures of tls.py as tables beside their goals, and what ./dev bench tls --write writes: docs/tls.md, docs/tls.svg, README.md."""
import pathlib
import re
import statistics

import tls_plot

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BEGIN, END = "<!-- written by ./dev bench tls --write: from here -->", "<!-- to here -->"
POST_QUANTUM = ("ML-DSA-44", "ML-DSA-65", "composite-44", "composite-65")


def markdown(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def find(rows, **labels):
    """The one row with these labels."""
    found = [row for row in rows if all(row[name] == value for name, value in labels.items())]
    if len(found) != 1:
        raise LookupError(f"{len(found)} rows are {labels}")
    return found[0]


def ratios(row, base):
    """How many connections of `row` cost what one of `base` does: of each round."""
    return [b / a for a, b in zip(row["rounds_cpu_us"], base["rounds_cpu_us"])]


def times(row, base):
    return statistics.median(ratios(row, base))


def judged(values, goal, at_least=True, form="{:.2f}"):
    """[median and range of the rounds, goal, "met" or "missed"]; one value is judged as it is."""
    rounds = values if isinstance(values, list) else [values]
    value = statistics.median(rounds)
    met = value >= goal if at_least else value <= goal
    shown = form.format(value) + (f" ({form.format(min(rounds))} to {form.format(max(rounds))})" if len(rounds) > 1 else "")
    return [shown, ("≥ " if at_least else "≤ ") + f"{goal:,}", "met" if met else "**missed**"]


def number(value):
    return f"{value:,.0f}"


def connections(figures):
    rows = figures["connections"]
    return markdown(
        ["suite", "code", "settings", "connections per core-second", "CPU µs", "spread", "bytes to client", "to server"],
        [[row["suite"], row["code"], row["settings"], number(row["per_core_second"]), number(row["cpu_us"]),
          f"{row['spread']:.0%}", number(row["to_client_bytes"]), number(row["to_server_bytes"])] for row in rows])


def goals_of_connections(figures):
    """The goals are about what we add to Mosquitto as it is, and about classical TLS with the same settings."""
    rows, table = figures["connections"], []
    for suite in POST_QUANTUM:
        ours = find(rows, suite=suite, code="our provider", settings="configured")
        peer = suite.replace("composite", "ML-DSA")  # OpenSSL has no composites
        as_it_is, alike = (ratios(ours, find(rows, suite=peer, code="OpenSSL", settings=settings))
                           for settings in ("defaults", "configured"))
        table.append([f"{suite} ÷ {peer} by OpenSSL's own code", *judged(as_it_is, 2.5),
                      f"{statistics.median(alike):.2f} with the same settings"])
    for suite in POST_QUANTUM:
        ours = find(rows, suite=suite, code="our provider", settings="configured")
        alike, as_it_is = (ratios(ours, find(rows, suite="classical", settings=settings)) for settings in ("configured", "defaults"))
        table.append([f"{suite} ÷ classical, same settings", *judged(alike, 0.8),
                      f"{statistics.median(as_it_is):.2f} of Mosquitto as it is"])
    return markdown(["connections per core-second with our provider, configured", "ratio: median (rounds)", "goal", "", "beside it"], table)


def settings(figures):
    return markdown(
        ["suite", "`set_tcp_nodelay`", "tickets", "CPU µs", "spread", "latency ms, one at a time: median", "slowest of 16"],
        [[row["suite"], str(row["nodelay"]).lower(), row["tickets"], number(row["cpu_us"]), f"{row['spread']:.0%}",
          f"{row['latency_us'] / 1000:.1f}", f"{row['latency_p99_us'] / 1000:.1f}"] for row in figures["settings"]])


def forwarding(figures):
    return markdown(["`set_tcp_nodelay`", "CPU µs a message", "spread", "messages/s (clients are the limit)"],
                    [[str(row["nodelay"]).lower(), f"{row['cpu_us']:.1f}", f"{row['spread']:.0%}", number(row["per_second"])]
                     for row in figures["forwarding"]])


def resumption(figures):
    rows, table = figures["resumption"], []
    own = find(rows, suite="ML-DSA-65", code="OpenSSL", stateful=False, resumed=False)
    for full in [row for row in rows if not row["resumed"]]:
        labels = {name: full[name] for name in ("suite", "code", "stateful")}
        resumed = find(rows, **labels, resumed=True)
        against = times(resumed, own) if full["suite"] != "classical" else None
        table.append([full["suite"], full["code"], "stateful" if full["stateful"] else "whole session",
                      number(full["cpu_us"]), number(resumed["cpu_us"]), *judged(ratios(resumed, full), 6),
                      "" if against is None else f"{against:.2f}", number(resumed["to_client_bytes"])])
    return markdown(["suite", "code", "ticket", "full, CPU µs", "resumed, CPU µs", "full ÷ resumed", "goal", "",
                     "ML-DSA-65 in full by OpenSSL ÷ resumed", "bytes to client"], table)


FLIGHT_GOALS = {"composite-44 under -65": 15000, "ML-DSA-44": 12000, "composite-44": 12000, "pure": 19500,
                "pure, ML-DSA-44 leaf": 19500}


def flights(figures):
    table = []
    for row in figures["flights"]:
        goal = FLIGHT_GOALS.get(row["suite"])
        size = row["server_flight_bytes"]
        judgement = judged(size, goal, False, "{:,}") if goal else [f"{size:,}", "", ""]
        table.append([row["suite"], row["root"], row["issuing"], row["leaf"], *judgement])
    return markdown(["suite", "root", "issuing", "leaf", "server flight, bytes", "goal", ""], table)


def in_key_stores(figures):
    rows = figures["in_key_stores"]
    table = [[row["suite"], row["store"], number(row["per_core_second"]), number(row["cpu_us"]), f"{row['spread']:.0%}",
              number(row["to_client_bytes"]), number(row["to_server_bytes"])] for row in rows]
    table += [["classical", store, "not possible: references are ML-DSA and composites only", "", "", "", ""]
              for store in ("quoin-se", "TPM-sealed")]
    return markdown(["suite", "the broker's key in", "handshakes per core-second", "CPU µs, with quoin-se's", "spread",
                     "bytes to client", "to server"], table)


def key_stores(figures):
    def latency(row):
        return f"{row['median_us'] / 1000:.1f} ms" if row["median_us"] >= 10000 else f"{row['median_us']:.1f} µs"
    table = [[row["store"], row["operation"], number(row["per_second"]), latency(row), f"{row['median_spread']:.0%}",
              number(row["p99_us"]), f"{row['cpu_us']:.1f}"] for row in figures["key_stores"]]
    return markdown(["store", "operation", "a second, one at a time", "median latency", "spread", "p99 µs", "CPU µs"], table)


def element_goal(figures):
    rows = figures["key_stores"]
    base = find(rows, store="in the process", operation="ML-DSA-65 sign")
    bare = find(rows, store="bare socket", operation="round trip")
    table = []
    for store in ("quoin-se", "quoin-se, sealed by a TPM"):
        row = find(rows, store=store, operation="ML-DSA-65 sign")
        for what, key, goal in (("median latency", "rounds_median_us", 100), ("CPU", "rounds_cpu_us", 30)):
            adds = [a - b for a, b in zip(row[key], base[key])]
            table.append([f"{store} adds to an ML-DSA-65 signature: {what}, µs", *judged(adds, goal, False, "{:.1f}"),
                          f"{bare[key.removeprefix('rounds_')]:.1f}"])
    return markdown(["", "µs", "goal", "", "bare socket round trip"], [[*row[:4], row[4]] for row in table])


def tables(figures):
    load = " to ".join(f"{value:.1f}" for value in figures["load"])
    return "\n".join([
        f"{figures['date']}, commit {figures['commit']}, {figures['machine']}, load {load}, {figures['rounds']} interleaved "
        "rounds: medians, and spread = (most - least) / median.\n",
        "## Connections that Mosquitto accepts\n", connections(figures), goals_of_connections(figures),
        "## What the settings do\n", settings(figures), forwarding(figures),
        "## Resumption by Mosquitto\n", resumption(figures),
        "## Server flights\n", flights(figures),
        "## Handshakes and key stores\n", in_key_stores(figures), "![handshakes and bytes](tls.svg)\n",
        "## Key stores\n", element_goal(figures), key_stores(figures)])


def readme(figures):
    rows = figures["connections"]
    classical = find(rows, suite="classical", settings="configured")
    table = []
    for row in [row for row in rows if row["settings"] == "configured" and row["code"]]:
        table.append([row["suite"], row["code"], number(row["per_core_second"]), f"{row['spread']:.0%}", number(row["cpu_us"]),
                      f"{times(row, classical):.2f}", number(row["to_server_bytes"]), number(row["to_client_bytes"])])
    return (f"Mutual TLS connections that an unmodified Mosquitto accepts ({figures['date']}, commit {figures['commit']}, "
            f"`./dev bench tls`; the settings, the goals and the rest: [docs/tls.md](docs/tls.md)):\n\n" + markdown(
                ["suite", "code", "connections per core-second", "spread", "server CPU µs", "÷ classical", "bytes to server",
                 "bytes to client"], table))


def replaced(text, block):
    """The text with the block in its place."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise LookupError("the page has not the two marks of what is written by ./dev bench tls --write")
    return re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: f"{BEGIN}\n{block}{END}", text, flags=re.DOTALL)


def write(figures):
    for path, block in ((TOP / "docs/tls.md", tables(figures)), (TOP / "README.md", readme(figures))):
        path.write_text(replaced(path.read_text(encoding="utf-8"), block), encoding="utf-8")
    (TOP / "docs/tls.svg").write_text(tls_plot.svg(figures["in_key_stores"]), encoding="utf-8")
