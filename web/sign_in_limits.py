"""How often somebody may try to sign in: for each name and address, and for each address."""

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

PER_USER = parse("5/minute")
PER_ADDRESS = parse("30/minute")


class SignInLimits:
    """The limits of one process. They are kept in memory: whoever restarts it forgets them."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def allows(self, user: str, address: str) -> bool:
        """Count an attempt, and tell whether it may be made."""
        return self._limiter.hit(PER_ADDRESS, address) and self._limiter.hit(PER_USER, user, address)

    def allows_beginning(self, address: str) -> bool:
        """Count a challenge that is asked for, which is kept, and tell whether it may be."""
        return self._limiter.hit(PER_ADDRESS, "begins", address)
