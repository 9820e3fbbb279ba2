"""Long scenarios: they wait more than they work, so they run beside the other tests, each in a thread.

    @background.scenario
    def test_broker__away_60_s__queue_drains(): ...     # takes no fixtures

conftest.py starts those that are selected before the first test, and collects their results last.
"""

import concurrent.futures

import pytest

_executor = concurrent.futures.ThreadPoolExecutor(max_workers=4)
_known = {}
_running = {}


def scenario(function):
    name = function.__name__
    _known[name] = function

    def collect():
        start([name])
        _running[name].result()

    collect.__name__ = name
    collect.__doc__ = function.__doc__
    collect.__module__ = function.__module__
    return pytest.mark.scenario(collect)


def start(names):
    for name in names:
        if name not in _running:
            _running[name] = _executor.submit(_known[name])
