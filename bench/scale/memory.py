"""The memory of the workers while a run is on its way."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from bench import process_costs
from bench.rates import first_and_last_tenth

SAMPLE_SECONDS = 0.25

Samples = list[dict[str, float]]


@dataclass(frozen=True)
class Memory:
    """Resident memory of one part during one run, in MiB: the medians of its first and of its last tenth."""

    run: str
    part: str
    first_mib: float
    last_mib: float

    @property
    def growth(self) -> float:
        """The last tenth over the first, as a share."""
        return round(self.last_mib / self.first_mib - 1, 3)


@contextlib.asynccontextmanager
async def sampled_memory() -> AsyncIterator[Samples]:
    """Yield a list that fills with the memory of each part of the stack, four times a second."""
    samples: Samples = []
    sampling = asyncio.create_task(_sample(samples))
    try:
        yield samples
    finally:
        sampling.cancel()


async def _sample(samples: Samples) -> None:
    began = time.monotonic()
    while True:
        samples.append(process_costs.resident_mib())
        await asyncio.sleep(max(0.0, began + len(samples) * SAMPLE_SECONDS - time.monotonic()))


def memory_of(run: str, part: str, samples: Samples) -> Memory:
    """Return the first and the last tenth of what was sampled of one part."""
    held = [sample[part] for sample in samples]
    # Of a run that was over at once each sample counts as ten.
    first, last = first_and_last_tenth([each for each in held for _ in range(10)] if len(held) < 10 else held)
    return Memory(run, part, round(first, 1), round(last, 1))
