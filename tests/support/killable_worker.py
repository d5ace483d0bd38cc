"""`worker.py` for a test that kills it: the server misses a dead one after seconds, where production waits minutes."""

import os
from datetime import timedelta

import workflows.plugin
from workflows import options

TIMEOUT = timedelta(seconds=float(os.environ["TEST_TIMEOUT_SECONDS"]))

if __name__ == "__main__":
    # The workflows' sandbox takes this module's time-outs instead of loading its own.
    workflows.plugin.SHARED_MODULES += ("workflows.options",)  # type: ignore[assignment]
    for timing in (options.COLLECT, options.COLLECT_WAITING, options.DATABASE):
        timing["start_to_close_timeout"] = TIMEOUT
    import typer

    from worker import main

    typer.run(main)
