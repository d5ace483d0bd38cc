"""Rate limits: a token bucket for the account and one for each endpoint, off until they are set."""

from dataclasses import dataclass, field

from sandbox.stripe.api.errors import rate_limited
from sandbox.stripe.control.messages import RateLimits


@dataclass
class TokenBucket:
    """Lets `rate` requests a second pass, with at most one second's worth at once."""

    rate: float
    at: float
    tokens: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = max(self.rate, 1.0)

    def refill(self, now: float) -> bool:
        """Adds what time has brought; says whether a token can be taken."""
        self.tokens = min(max(self.rate, 1.0), self.tokens + (now - self.at) * self.rate)
        self.at = now
        return self.tokens >= 1


class Limiter:
    """Takes a token of the endpoint and one in total, or raises Stripe's 429 and takes neither."""

    def __init__(self) -> None:
        self.limits = RateLimits()
        self._buckets: dict[str, TokenBucket] = {}

    def change(self, limits: RateLimits) -> None:
        self.limits = limits
        self._buckets = {}

    def take(self, operation: str, now: float) -> None:
        own = self._bucket(operation, self.limits.endpoints.get(operation, self.limits.per_endpoint), now)
        total = self._bucket("", self.limits.total, now)
        if own is not None and not own.refill(now):
            raise rate_limited("endpoint-rate")
        if total is not None and not total.refill(now):
            raise rate_limited("global-rate")
        for bucket in (own, total):
            if bucket is not None:
                bucket.tokens -= 1

    def _bucket(self, name: str, rate: float | None, now: float) -> TokenBucket | None:
        if rate is None:
            return None
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = TokenBucket(rate, now)
        return bucket
