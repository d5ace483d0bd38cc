"""How the program ends."""

import contextlib
import logging
import os
import sys
import traceback
from collections.abc import Callable


def leave_after(work: Callable[[], object]) -> None:
    """Run the command line and end the process with its exit code; an unexpected error shows where it happened.

    Temporal's client leaves threads behind, and an interpreter that is finalized with them aborts now and then, after
    everything is done. So it is not finalized: what was written is flushed, and the process ends.
    """
    code = 1
    try:
        work()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # whatever it is, it is shown, and the process ends with 1
        traceback.print_exc()
    logging.shutdown()
    # A reader that has seen enough, such as `head`, has closed the pipe.
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
