"""How long a link is good: a whole number and a unit, as people write it (X21)."""

import re
from types import MappingProxyType

DAY_SECONDS = 86_400
VALID_DAYS_MAX = 365
VALID_SECONDS_MAX = VALID_DAYS_MAX * DAY_SECONDS
VALIDITY_MEANING = f"must be a whole number and s, m, h or d, such as 45m: at most {VALID_DAYS_MAX}d"

_SECONDS = MappingProxyType({"s": 1, "m": 60, "h": 3600, "d": DAY_SECONDS})
_WRITTEN = re.compile(r"([1-9][0-9]{0,8})([smhd])")


class InvalidValidityError(ValueError):
    """What is written is no length of time for which a link can be good."""


def seconds_of(text: str) -> int:
    """Return the seconds of 90s, 45m, 12h or 3d; 0 where nothing is written. Raises InvalidValidityError."""
    if not text:
        return 0
    written = _WRITTEN.fullmatch(text)
    seconds = int(written[1]) * _SECONDS[written[2]] if written else 0
    if not 1 <= seconds <= VALID_SECONDS_MAX:
        raise InvalidValidityError(VALIDITY_MEANING)
    return seconds
