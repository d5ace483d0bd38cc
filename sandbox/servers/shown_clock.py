"""A clock that is set: child processes are shown another time of day by libfaketime, and nothing else is changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class ShownClock:
    """The time of day that processes started with its environment see: the true one and some seconds, or less some.

    How much time passes, by the clock that nobody sets, stays true for them.
    """

    file: Path

    def set(self, seconds: float) -> None:
        """Show another time from now on: so many seconds ahead of the true one, negative when behind."""
        # Replaced in one go, for the processes read it whenever they want to know the time.
        following = self.file.with_suffix(".next")
        following.write_text(f"{seconds:+.6f}\n")
        following.chmod(0o644)
        following.replace(self.file)

    def unset_environment(self) -> Mapping[str, str]:
        """Return what a process must be started with to see this clock go on as it stands now, however it is set."""
        return {**self.environment(), "FAKETIME_TIMESTAMP_FILE": "", "FAKETIME": f"{self.file.read_text().strip()}s"}

    def environment(self) -> Mapping[str, str]:
        """Return what a process must be started with to see this clock."""
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Else waits that a program measures by the clock that nobody sets take as long as the shown clock differs.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            "NO_FAKE_STAT": "1",
        }


def library() -> Path:
    """Return where libfaketime's library is, or would be on a system that it is made for."""
    package = find_spec("libfaketime")
    if package is None or not package.submodule_search_locations:
        return Path("libfaketime.so.1")
    return Path(package.submodule_search_locations[0]) / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
