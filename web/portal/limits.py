"""How often the portal may be asked: for links, with links, and for what asks the gateway something."""

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

MAILS = parse("3/hour")
MAILS_OF_CLIENT = parse("20/hour")
ENTRIES = parse("30/minute")
# Whoever has stolen cards tries them one after the other on pages like ours.
GATEWAY_PAGES = parse("10/hour")
CHANGES = parse("60/hour")
# A code is 100 random bits; whoever tries some has found none, and is not let try many.
CODES = parse("5/hour")
FILES = parse("60/minute")


class PortalLimits:
    """The limits of one process. They are kept in memory: whoever restarts it forgets them."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def allows(self, limit: RateLimitItem, what: str, whose: str) -> bool:
        """Count one more of something by somebody, and tell whether it may be."""
        return self._limiter.hit(limit, what, whose)

    def may_mail(self, email: str, client: str) -> bool:
        """Count one more letter with a link, whether or not the address is anybody's."""
        return self.allows(MAILS_OF_CLIENT, "mails", client) and self.allows(MAILS, "mail", email)
