"""`worker.py` for a short form: `python -m bench.chaos.chaos_worker --role=workflow`.

The server misses a killed worker after DULY_BENCH_MISSED_SECONDS, where production waits up to a minute. What never
arrived at the gateway is known after some seconds, where production waits for three minutes, and the next checks
come as soon: the sandbox carries out a request within seconds, or not at all.
"""

import os
from datetime import timedelta

import typer

from activities.gateway import attempts
from workflows import options
from workflows.cards import card_lifecycle
from workflows.payments import payment_request
from workflows.refunds import refund

MISSED_AFTER = "DULY_BENCH_MISSED_SECONDS"
# Longer than the sandbox's slowest effect and the time of a client that still sends.
QUIET = timedelta(seconds=30)
CHECKS = (timedelta(seconds=5), timedelta(seconds=10))


def shorten(seconds: float) -> None:
    """Let every time-out that only a dead worker runs into end after so long at most."""
    longest = timedelta(seconds=seconds)
    for timing in vars(options).values():
        if isinstance(timing, dict) and "start_to_close_timeout" in timing:
            if "heartbeat_timeout" in timing:
                timing["heartbeat_timeout"] = min(timing["heartbeat_timeout"], longest)
            else:
                timing["start_to_close_timeout"] = min(timing["start_to_close_timeout"], longest)


def check_sooner() -> None:
    """Let what is unknown become known within a minute."""
    attempts.QUIET_PERIOD = QUIET
    card_lifecycle.CHECK_INTERVALS = CHECKS
    payment_request.CHECK_INTERVALS = CHECKS
    refund.CHECK_INTERVALS = CHECKS


if __name__ == "__main__":
    shorten(float(os.environ[MISSED_AFTER]))
    check_sooner()
    from worker import main

    typer.run(main)
