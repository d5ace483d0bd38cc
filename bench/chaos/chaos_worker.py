"""`worker.py` for a short form: `python -m bench.chaos.chaos_worker --role=workflow`.

The server misses a killed worker after DULY_BENCH_MISSED_SECONDS, where production waits up to a minute.
"""

import os
from datetime import timedelta

import typer

from workflows import options

MISSED_AFTER = "DULY_BENCH_MISSED_SECONDS"


def shorten(seconds: float) -> None:
    """Let every time-out that only a dead worker runs into end after so long at most."""
    longest = timedelta(seconds=seconds)
    for timing in vars(options).values():
        if isinstance(timing, dict) and "start_to_close_timeout" in timing:
            if "heartbeat_timeout" in timing:
                timing["heartbeat_timeout"] = min(timing["heartbeat_timeout"], longest)
            else:
                timing["start_to_close_timeout"] = min(timing["start_to_close_timeout"], longest)


if __name__ == "__main__":
    shorten(float(os.environ[MISSED_AFTER]))
    from worker import main

    typer.run(main)
