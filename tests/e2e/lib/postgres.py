"""The test PostgreSQL (tests/postgres/server.py) for e2e tests: with Postgres() as server: server.url"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "postgres"))

from server import Postgres  # noqa: E402  pylint: disable=wrong-import-position

__all__ = ["Postgres"]
