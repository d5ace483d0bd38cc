"""`worker.py` for a test that kills it: the server misses a dead one after seconds, where production waits minutes."""

import os
from datetime import timedelta

from workflows import options

TIMEOUT = timedelta(seconds=float(os.environ["TEST_TIMEOUT_SECONDS"]))

if __name__ == "__main__":
    for timing in (options.COLLECT, options.COLLECT_WAITING, options.DATABASE):
        timing["start_to_close_timeout"] = TIMEOUT
    import typer

    from worker import main

    typer.run(main)
