"""Clocks that are wrong: a process is shown another time of day by libfaketime, and nothing else of it is changed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.servers.shown_clock import ShownClock, library

DAY, HOUR, SIX_MINUTES = 86_400, 3600, 360


@contextmanager
def wrong_clock() -> Iterator[ShownClock]:
    """Lend a clock that is right at first. Skips the test where the system cannot do it."""
    if not library().exists():
        pytest.skip("libfaketime has no library for this system")
    with tempfile.TemporaryDirectory(prefix="duly-clock-") as folder:
        # The server's own user reads it as well.
        Path(folder).chmod(0o755)
        clock = ShownClock(Path(folder) / "offset")
        clock.set(0)
        yield clock
