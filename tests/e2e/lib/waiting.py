"""Waiting for something to be so."""

import threading
import time


def elapse(seconds):
    """Lets time pass, where the time itself is what a test is about (an outage, a lifetime)."""
    threading.Event().wait(seconds)


def until(condition, what, timeout_s=30.0, interval_s=0.05):
    """The first true value of condition(). What does not come is an error that says what it was."""
    deadline = time.monotonic() + timeout_s
    problem = None
    while True:
        try:
            value = condition()
            problem = None
            if value:
                return value
        except OSError as error:  # the thing asked is away for the moment
            problem = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what}" + (f" ({problem})" if problem else ""))
        elapse(interval_s)
