"""How long each request takes: as with a real gateway, most about the median, and one in a hundred much longer."""

import math
from statistics import NormalDist

from sandbox.stripe.control.faults import draw
from sandbox.stripe.control.messages import Latency

_NORMAL = NormalDist()
_PERCENTILE_99 = _NORMAL.inv_cdf(0.99)


class Latencies:
    """Draws a lognormal latency from the seed and the request itself, as faults are drawn."""

    def __init__(self, latency: Latency | None = None) -> None:
        self.latency = latency or Latency()
        self._drawn: dict[str, int] = {}

    def seconds(self, operation: str, subject: str) -> float:
        """Return how long this request takes, in seconds; 0 as long as no median is set."""
        latency = self.latency
        if not latency.median_seconds:
            return 0.0
        times = self._drawn[subject] = self._drawn.get(subject, 0) + 1
        chance, _ = draw(latency.seed, operation, subject, times)
        spread = math.log(latency.percentile_99_seconds / latency.median_seconds) / _PERCENTILE_99
        # A chance of 0 has no quantile.
        return latency.median_seconds * math.exp(spread * _NORMAL.inv_cdf(max(chance, 1e-12)))
