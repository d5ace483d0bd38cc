"""How people know a payment preference (F90, F93)."""

import re

_NUMBER = re.compile(r"^(?:PP-)?([1-9][0-9]{0,17})$", re.IGNORECASE)


def preference_number(number: int) -> str:
    """Return what a preference is called, such as PP-1042."""
    return f"PP-{number}"


def number_of_preference(text: str) -> int | None:
    """Return the number in what a preference is called; None when it is no such name."""
    found = _NUMBER.match(text.strip())
    return int(found[1]) if found else None
