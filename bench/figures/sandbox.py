"""How fast the Stripe sandbox is on one core: what the other figures could at best come to."""

import subprocess
import sys
from dataclasses import dataclass

from pydantic import TypeAdapter

from bench.machine import Machine, this_machine
from bench.stripe_sandbox import Measured

TARGET_CHARGES = 500
# Beyond the time measured: starting, saving a customer, warming up, reading the books.
MARGIN_SECONDS = 60


@dataclass(frozen=True)
class SandboxSpeed:
    """One run of `bench.stripe_sandbox`."""

    machine: Machine
    measured: Measured


async def measure_sandbox(*, seconds: int) -> SandboxSpeed:
    """Run it in a process of its own, since it pins itself to a core."""
    argv = (sys.executable, "-m", "bench.stripe_sandbox", f"--seconds={seconds}")
    printed = subprocess.run(argv, stdout=subprocess.PIPE, check=True, timeout=seconds + MARGIN_SECONDS)
    return SandboxSpeed(await this_machine(), TypeAdapter(Measured).validate_json(printed.stdout))
