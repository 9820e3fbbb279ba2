"""The plant fixture, and the logs of what failed."""

import os
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from lib import background, network  # noqa: E402
from lib.element import Element  # noqa: E402
from lib.plant import SELDOM, Plant  # noqa: E402


def pytest_configure(config):
    # For openssl, curl and mosquitto_pub. Our own programs read none.
    os.environ["OPENSSL_CONF"] = str(pathlib.Path(shutil.which("quoin")).parent.parent / "lib/quoin/openssl.cnf")
    config.addinivalue_line("markers", "scenario: runs beside the other tests")
    config.addinivalue_line("markers", "any_network: runs in a good network and in a bad one")


def pytest_collection_modifyitems(items):
    # Scenarios last: they have run beside the others by then.
    items.sort(key=lambda item: item.get_closest_marker("scenario") is not None)


def pytest_runtestloop(session):
    if session.config.option.collectonly:
        return
    background.start([item.name for item in session.items if item.get_closest_marker("scenario")])


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        item.failed_once = True
        plant = getattr(item, "funcargs", {}).get("plant")
        if plant is not None:
            report.sections.append(("plant", plant.logs()))


NETWORKS = {"good": {}, "bad": {"overlay": SELDOM, "faults": network.BAD}}


def pytest_generate_tests(metafunc):
    # The marker any_network runs a test in a good network, and in a bad one (sim/proxy).
    if metafunc.definition.get_closest_marker("any_network"):
        metafunc.parametrize("plant", NETWORKS, indirect=True)


@pytest.fixture
def plant(request):
    """A running plant, suite hybrid."""
    running = Plant(**NETWORKS[getattr(request, "param", "good")])
    try:
        yield running.start()
    finally:
        running.close()
    if not getattr(request.node, "failed_once", False):
        running.remove()


@pytest.fixture
def element():
    """A quoin-se of its own, which both root and the plant's user may use."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="quoin-e2e-se-"))
    folder.chmod(0o755)
    made = Element(folder / "se")
    try:
        yield made.start()
    finally:
        if made.process:
            made.stop()
    shutil.rmtree(folder)
