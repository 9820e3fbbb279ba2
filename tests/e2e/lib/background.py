"""Long scenarios: they wait more than they work, so they run beside the other tests, each in a thread.

    @background.scenario
    def broker_away(): ...            # any exception is its failure

    def test_broker_away__...(): background.result(broker_away)

conftest.py starts the scenarios of the selected tests before the first test.
"""

import concurrent.futures

_executor = concurrent.futures.ThreadPoolExecutor(max_workers=8)
_known = {}
_running = {}


def scenario(function):
    _known[function.__name__] = function
    return function


def start(names):
    for name in names:
        if name in _known and name not in _running:
            _running[name] = _executor.submit(_known[name])


def result(function):
    start([function.__name__])
    return _running[function.__name__].result()
