"""Writes docs/performance.md from the kept results, so that no figure in it is written by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.chaos.figures import ChaosFigures
from bench.faults.ledger_faults import LedgerFaults
from bench.figures.cards import SleepingCards
from bench.figures.certainty import Certainties
from bench.figures.documents import DocumentSpeed
from bench.figures.paced import Paced
from bench.figures.reconcile import ReconciledDay
from bench.figures.sandbox import SandboxSpeed
from bench.figures.supervise import ObjectsChecked, SupervisedObjects
from bench.figures.throughput import Throughput
from bench.figures.webhook import Answers
from bench.ledger.figures import LedgerFigures
from bench.results import FOLDER, kept
from bench.scale.figures import Scale
from bench.second_opinion.figures import SecondOpinion
from bench.sections import events, ledger, payments
from bench.sections.chaos import chaos
from bench.sections.documents import documents
from bench.sections.scale import large_month, scale
from bench.sections.second_opinion import second_opinion

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
    kind, write = SECTIONS[name]
    found = kept(name, kind, folder)
    return "" if found is None else write(found)


# One for each file of bench/results/, in the order of the page: what the file holds, and what is said about it.
SECTIONS: dict[str, tuple[type[Any], Callable[[Any], str]]] = {
    "paced": (Paced, payments.paced),
    "throughput": (Throughput, payments.throughput),
    "scale-small": (Scale, scale),
    "scale": (Scale, large_month),
    "certainty": (Certainties, events.certainty),
    "chaos": (ChaosFigures, chaos),
    "reconcile": (ReconciledDay, events.reconcile),
    "second-opinion": (SecondOpinion, second_opinion),
    "supervise": (SupervisedObjects, events.supervise),
    "supervise-check": (ObjectsChecked, events.supervise_check),
    "webhook": (Answers, events.webhook),
    "cards": (SleepingCards, events.cards),
    "ledger": (LedgerFigures, ledger.speed),
    "ledger-faults": (LedgerFaults, ledger.faults),
    "documents": (DocumentSpeed, documents),
    "sandbox": (SandboxSpeed, events.sandbox),
}
