"""Values of labels. Each has a fixed set: whatever else comes is one value more, and no series of its own."""

from collections.abc import Collection

OTHER = "other"


def bounded(value: str, known: Collection[str]) -> str:
    """Return a value that is known, or the one that stands for all others."""
    return value if value in known else OTHER
