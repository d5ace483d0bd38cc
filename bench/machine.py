"""The machine and the versions that a figure was measured on."""

import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from activities.database import Database, create_engine
from sandbox.servers.temporal import program

_PACKAGES = ("temporalio", "stripe", "sqlalchemy", "psycopg")


@dataclass(frozen=True)
class Machine:
    """Where and when: without this a figure means nothing."""

    measured_on: str
    cores: int
    memory_gib: int
    processor: str
    system: str
    versions: dict[str, str]


async def this_machine(database: Database | None = None) -> Machine:
    """Describe this machine and, if they are part of the figure, the servers that are running on it."""
    servers = {"Python": platform.python_version()}
    if database is not None:
        postgresql = (await database.rows("show server_version"))[0][0]
        servers |= {"PostgreSQL": str(postgresql), "Temporal": _temporal_version()}
    return Machine(
        measured_on=f"{datetime.now(UTC):%Y-%m-%d}",
        cores=psutil.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30),
        processor=_processor(),
        system=f"{platform.system()} {platform.machine()}",
        versions=servers | {name: version(name) for name in _PACKAGES},
    )


async def machine_of(url: str) -> Machine:
    """Describe this machine and the servers, PostgreSQL at an address among them."""
    database = Database(create_engine(url, pool=1))
    try:
        return await this_machine(database)
    finally:
        await database.dispose()


def _temporal_version() -> str:
    printed = subprocess.run((program("temporal"), "--version"), capture_output=True, text=True, check=True, timeout=20)
    return printed.stdout.strip().removeprefix("temporal version ")


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text(encoding="utf-8").splitlines() if described.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
