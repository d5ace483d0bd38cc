"""Rates, from the moments at which payments were finished."""

from collections.abc import Sequence
from statistics import median

# The share of a run at either end that is left out: it begins with a burst and ends with the slowest shard alone.
EDGE = 0.1


def rate(moments: Sequence[float], started_at: float) -> float:
    """Return payments a second from the first request to the last outcome. Moments are Unix seconds."""
    return len(moments) / (max(moments) - started_at)


def steady_rate(moments: Sequence[float], started_at: float) -> float:
    """Return payments a second in the run's steady time: without its first and its last tenth."""
    edge = (max(moments) - started_at) * EDGE
    begins, ends = started_at + edge, max(moments) - edge
    return sum(begins <= moment < ends for moment in moments) / (ends - begins)


def plateau_rate(moments: Sequence[float]) -> float:
    """Return payments a second of the middle eight tenths of the payments: those few that take long weigh nothing."""
    inner = sorted(moments)[round(len(moments) * EDGE) : round(len(moments) * (1 - EDGE))]
    return (len(inner) - 1) / (inner[-1] - inner[0])


def first_and_last_tenth(samples: Sequence[float]) -> tuple[float, float]:
    """Return the medians of the first and of the last tenth of evenly spaced samples; there must be ten."""
    tenth = len(samples) // 10
    if tenth == 0:
        raise ValueError(f"samples: {len(samples)} are too few to tell a tenth")
    return median(samples[:tenth]), median(samples[-tenth:])
