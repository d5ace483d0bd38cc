"""Clocks that are wrong: a process is shown another time of day by libfaketime, and nothing else of it is changed."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

HOUR, SIX_MINUTES = 3600, 360


@dataclass(frozen=True)
class WrongClock:
    """The clock of another process, as far as tests may set it: seconds ahead of the true one, negative when behind."""

    file: Path

    def set(self, seconds: float) -> None:
        """Show another time from now on."""
        # Replaced in one go, for the process reads it whenever it wants to know the time.
        following = self.file.with_suffix(".next")
        following.write_text(f"{seconds:+.0f}\n")
        following.chmod(0o644)
        following.replace(self.file)

    def environment(self) -> Mapping[str, str]:
        """Return what a process must be started with to see this clock."""
        return {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }


@contextmanager
def wrong_clock() -> Iterator[WrongClock]:
    """Lend a clock that is right at first. Skips the test where the system cannot do it."""
    if not _library().exists():
        pytest.skip("libfaketime has no library for this system")
    with tempfile.TemporaryDirectory(prefix="duly-clock-") as folder:
        # The server's own user reads it as well.
        Path(folder).chmod(0o755)
        clock = WrongClock(Path(folder) / "offset")
        clock.set(0)
        yield clock


def _library() -> Path:
    package = find_spec("libfaketime")
    assert package is not None
    assert package.submodule_search_locations
    return Path(package.submodule_search_locations[0]) / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
