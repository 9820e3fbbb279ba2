"""Which samples are suspect, worked out again from the verdicts."""

from lib import waiting

SLACK_MS = 5000  # from a challenge to the verdict


def _distrusts(plant, device):
    """[(the pass before, the first pass after)] in ms; the latter None while it lasts."""
    verdicts = sorted(plant.rest.get("verdicts", device=device, limit=1000)["verdicts"], key=lambda one: one["at_ms"])
    found, last_pass, begun = [], 0, None
    for verdict in verdicts:
        if verdict["verdict"] == "untrusted" and begun is None:
            begun = last_pass
        elif verdict["verdict"] == "trusted":
            last_pass = verdict["at_ms"]
            if begun is not None:
                found.append((begun, last_pass))
                begun = None
    return found + ([(begun, None)] if begun is not None else [])


def check_suspects(plant, device):
    """What was measured between a pass and the next pass with an untrusted verdict in between, however late it came.

    The device was distrusted at least once and is trusted now."""
    passed = plant.wait_event("verifier.evidence.trusted", device, plant.last_event())
    waiting.until(lambda: plant.rest.get("telemetry", device=device, from_ms=passed["time_ms"])["samples"],
                  f"samples of {device} measured since a later pass")
    distrusts = _distrusts(plant, device)
    assert distrusts
    samples = plant.samples(device)
    assert [one["seq"] for one in samples] == list(range(1, len(samples) + 1))
    for sample in samples:
        measured, stored = sample["ts_ms"], sample["stored_ms"]
        inside = any(begin < measured and (end is None or measured <= end) for begin, end in distrusts)
        # Marked as well: what was stored since the device was asked for the last pass, and all that its queue brings
        # after the distrust and that claims to be older.
        near = any(begin - SLACK_MS < stored and (end is None or measured <= end) for begin, end in distrusts)
        assert sample["suspect"] or not inside, (sample, distrusts)
        assert not sample["suspect"] or near, (sample, distrusts)
    assert any(one["suspect"] for one in samples) and not samples[-1]["suspect"]
