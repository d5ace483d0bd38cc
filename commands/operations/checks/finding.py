"""What a check of the doctor finds."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check ends. A warning is to be mended before it is wrong; what is off was not asked for."""

    OK = "ok"
    WRONG = "wrong"
    WARNING = "warning"
    OFF = "off"
    UNCHECKED = "not checked"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, what was found, and what to do about it when it is wrong."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""


def ok(check: str, found: str) -> Finding:
    """Make the finding of something that is as it must be."""
    return Finding(check, Verdict.OK, found)


def wrong(check: str, found: str, advice: str) -> Finding:
    """Make the finding of something that must be put right."""
    return Finding(check, Verdict.WRONG, found, advice)


def warning(check: str, found: str, advice: str) -> Finding:
    """Make the finding of something that works, and will not if nobody puts it right."""
    return Finding(check, Verdict.WARNING, found, advice)


def unchecked(check: str, because: str) -> Finding:
    """Make the finding of something that could not be looked at."""
    return Finding(check, Verdict.UNCHECKED, because)
