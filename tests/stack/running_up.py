"""`python -m sandbox.up` as a process that tests start, look at, and end in every way."""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent.parent
START_SECONDS = 120.0
STOP_SECONDS = 30.0


@dataclass(frozen=True)
class RunningUp:
    """A stack in another process, which has printed that it is up."""

    process: "subprocess.Popen[bytes]"
    data: Path
    printed: str

    def environment(self) -> dict[str, str]:
        """Return what the environment file tells another terminal."""
        lines = (self.data / "environment").read_text().splitlines()
        return dict(shlex.split(line)[0].split("=", 1) for line in lines)

    def parts(self) -> list[psutil.Process]:
        """Return the processes of the stack, all generations."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=STOP_SECONDS)


@contextlib.contextmanager
def running_up(data: Path, *options: str, before: Sequence[str] = (), **environment: str) -> Iterator[RunningUp]:
    """Run the command, wait until it is up, and see to it that it is gone in the end."""
    output = data.with_name(f"{data.name}.out")
    argv = [*before, sys.executable, "-m", "sandbox.up", f"--data={data}", *options]
    _stop_ignoring_ctrl_c()
    with output.open("wb") as file:
        process = subprocess.Popen(argv, cwd=ROOT, stdout=file, stderr=file, env={**os.environ, **environment})
    try:
        wait_until(lambda: "set -a" in output.read_text() or process.poll() is not None, START_SECONDS)
        assert process.poll() is None, output.read_text()
        yield RunningUp(process, data, output.read_text())
    finally:
        process.kill()
        process.wait()
        output.unlink()


def still_running(parts: list[psutil.Process]) -> list[str]:
    """Return the command lines of those that do not end within the time that a stop may take."""
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: not any(map(_is_alive, parts)), STOP_SECONDS)
    return [" ".join(part.cmdline()) for part in parts if _is_alive(part)]


def wait_until(holds: Callable[[], bool], seconds: float) -> None:
    """Wait until a condition of another process holds; TimeoutError if it does not."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.02)


def _stop_ignoring_ctrl_c() -> None:
    # A shell without job control starts `tests &` with SIGINT ignored, and a new process inherits what is ignored.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _is_alive(part: psutil.Process) -> bool:
    # Where nobody collects orphans, what was killed stays as a zombie: an entry in a table, no longer a process.
    try:
        return part.is_running() and part.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
