"""Seeds that are told, so that a failure can be repeated."""

import contextlib
import os
import random


def new_seed():
    """QUOIN_SEED=N repeats a run."""
    return int(os.environ.get("QUOIN_SEED") or random.SystemRandom().randrange(1 << 31))


@contextlib.contextmanager
def seeded(name):
    seed = new_seed()
    print(f"{name}: seed {seed}")
    try:
        yield random.Random(seed)
    except BaseException as error:
        error.add_note(f"{name}: seed {seed}")
        raise
