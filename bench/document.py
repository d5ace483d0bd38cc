"""Writes docs/performance.md from the kept results, so that no figure in it is written by hand."""

from collections.abc import Callable
from pathlib import Path

from bench.results import FOLDER
from bench.sections import ledger, news, payments

DOCUMENT = Path(__file__).parent.parent / "docs" / "performance.md"

_INTRODUCTION = """\
# Performance

Measured by `make bench` on one machine that runs everything: PostgreSQL with fsync on, the Temporal development server
on a database file, the Stripe sandbox, one worker for workflows and one for gateway calls. This page is written from
`bench/results/` by `.venv/bin/python -m bench document`; a test compares the two. What else the machine does slows all
of it down and makes each payment dearer, so each run says how many cores other programs kept busy meanwhile.
"""


def document(folder: Path = FOLDER) -> str:
    """Return the whole page."""
    sections = (section_of(name, folder) for name in SECTIONS)
    return "\n".join((_INTRODUCTION, *(section for section in sections if section)))


def section_of(name: str, folder: Path = FOLDER) -> str:
    """Return what the page says about one figure; nothing when it has not been measured."""
    return SECTIONS[name](folder)


# One for each file of bench/results/, in the order of the page.
SECTIONS: dict[str, Callable[[Path], str]] = {
    "paced": payments.paced,
    "throughput": payments.throughput,
    "scale": payments.scale,
    "certainty": news.certainty,
    "webhook": news.webhook,
    "cards": news.cards,
    "ledger": ledger.speed,
    "ledger-faults": ledger.faults,
    "sandbox": news.sandbox,
}
