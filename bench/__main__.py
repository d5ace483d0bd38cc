"""Measures every figure and writes docs/performance.md: `make bench`, or one figure with `python -m bench NAME`."""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.document import DOCUMENT, document, section_of
from bench.faults.ledger_faults import measure_ledger_faults
from bench.figures.cards import measure_cards
from bench.figures.certainty import KINDS, measure_certainty
from bench.figures.paced import measure_paced
from bench.figures.reconcile import measure_reconcile
from bench.figures.sandbox import measure_sandbox
from bench.figures.scale import measure_scale
from bench.figures.supervise import measure_supervise
from bench.figures.throughput import measure_throughput
from bench.figures.webhook import measure_webhook
from bench.ledger.figures import FULL, QUICK, measure_ledger
from bench.results import FOLDER, keep
from bench.second_opinion.figures import measure_second_opinion
from sandbox.servers.processes import ServiceError

MINUTE = 60.0

app = typer.Typer(add_completion=False, help=__doc__)
Quick = Annotated[bool, typer.Option("--quick", help="Small and soon over, to see that it works: nothing is kept.")]
Measurement = Coroutine[Any, Any, object]


@dataclass(frozen=True)
class Figure:
    """How a figure is measured, in full and quickly, and the longest time that the full measurement may take."""

    full: Callable[[], Measurement]
    quick: Callable[[], Measurement]
    seconds_max: float


FIGURES = {
    "paced": Figure(lambda: measure_paced(seconds=60), lambda: measure_paced(seconds=8), 15 * MINUTE),
    "throughput": Figure(
        lambda: measure_throughput(accounts=2_500, pairs=3),
        lambda: measure_throughput(accounts=200, pairs=1),
        20 * MINUTE,
    ),
    "scale": Figure(
        lambda: measure_scale(accounts=100_000, seconds_max=15 * MINUTE),
        lambda: measure_scale(accounts=1_000, seconds_max=MINUTE),
        30 * MINUTE,
    ),
    "certainty": Figure(
        lambda: measure_certainty(accounts=100),
        lambda: measure_certainty(accounts=12, kinds=KINDS[:2]),
        25 * MINUTE,
    ),
    "cards": Figure(
        lambda: measure_cards(counts=(2_000, 5_000, 10_000)), lambda: measure_cards(counts=(20, 40)), 40 * MINUTE
    ),
    "reconcile": Figure(
        lambda: measure_reconcile(movements=100_000), lambda: measure_reconcile(movements=2_000), 40 * MINUTE
    ),
    "supervise": Figure(
        lambda: measure_supervise(objects=20_000), lambda: measure_supervise(objects=2_000), 40 * MINUTE
    ),
    "webhook": Figure(lambda: measure_webhook(seconds=30), lambda: measure_webhook(seconds=2), 3 * MINUTE),
    "ledger": Figure(lambda: measure_ledger(FULL), lambda: measure_ledger(QUICK), 60 * MINUTE),
    "ledger-faults": Figure(
        lambda: measure_ledger_faults(injections=10), lambda: measure_ledger_faults(injections=1), 30 * MINUTE
    ),
    "second-opinion": Figure(
        lambda: measure_second_opinion(accounts=80),
        lambda: measure_second_opinion(accounts=12, shares=(0.25,)),
        50 * MINUTE,
    ),
    "sandbox": Figure(lambda: measure_sandbox(seconds=10), lambda: measure_sandbox(seconds=2), 2 * MINUTE),
}


@app.callback(invoke_without_command=True)
def every_figure(context: typer.Context, quick: Quick = False) -> None:
    """Measure what Duly does in a second, what it costs and how it grows; without a command, all of it."""
    if context.invoked_subcommand is None:
        measure_all(quick)


@app.command("all")
def measure_all(quick: Quick = False) -> None:
    """Measure every figure, one after the other."""
    for name in FIGURES:
        _measure(name, quick=quick)


@app.command()
def paced(quick: Quick = False) -> None:
    """Measure payments a second against a gateway that caps them."""
    _measure("paced", quick=quick)


@app.command()
def throughput(quick: Quick = False) -> None:
    """Measure payments a second and CPU per payment without a cap, with Temporal and without."""
    _measure("throughput", quick=quick)


@app.command()
def certainty(quick: Quick = False) -> None:
    """Measure how long an outcome stays unknown after each kind of fault."""
    _measure("certainty", quick=quick)


@app.command()
def scale(quick: Quick = False) -> None:
    """Measure histories and memory over a large run."""
    _measure("scale", quick=quick)


@app.command()
def cards(quick: Quick = False) -> None:
    """Measure what sleeping cards cost the worker."""
    _measure("cards", quick=quick)


@app.command()
def webhook(quick: Quick = False) -> None:
    """Measure how soon events are answered at 200 a second."""
    _measure("webhook", quick=quick)


@app.command()
def reconcile(quick: Quick = False) -> None:
    """Measure how long a day of 100,000 movements takes to be reconciled."""
    _measure("reconcile", quick=quick)


@app.command()
def supervise(quick: Quick = False) -> None:
    """Measure how long 20,000 open objects take to be resumed, and to be compared with their workflows."""
    _measure("supervise", quick=quick)


@app.command()
def ledger(quick: Quick = False) -> None:
    """Measure the ledger's postings a second, alone on a server; DULY_BENCH_PGLEDGER names a clone to compare with."""
    _measure("ledger", quick=quick)


@app.command("ledger-faults")
def ledger_faults(quick: Quick = False) -> None:
    """Kill, freeze and fill the ledger's server under load, and look for what was lost."""
    _measure("ledger-faults", quick=quick)


@app.command("second-opinion")
def second_opinion(quick: Quick = False) -> None:
    """Run months against localstripe, with up to three of four calls failing, and compare its books with the ledger."""
    _measure("second-opinion", quick=quick)


@app.command()
def sandbox(quick: Quick = False) -> None:
    """Measure the Stripe sandbox's charges a second on one core."""
    _measure("sandbox", quick=quick)


@app.command("document")
def write_document() -> None:
    """Write docs/performance.md from what is kept."""
    DOCUMENT.write_text(document(), encoding="utf-8")
    print(f"Written: {DOCUMENT.relative_to(Path.cwd()) if DOCUMENT.is_relative_to(Path.cwd()) else DOCUMENT}")


def _measure(name: str, *, quick: bool) -> None:
    """Measure a figure and show it; a full measurement is kept, and the document written anew."""
    figure = FIGURES[name]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) if quick else FOLDER
        keep(name, _within(figure.seconds_max, figure.quick if quick else figure.full), folder)
        print(section_of(name, folder), flush=True)
    if not quick:
        write_document()


def _within(seconds: float, measurement: Callable[[], Measurement]) -> object:
    async def bounded() -> object:
        async with asyncio.timeout(seconds):
            return await measurement()

    try:
        return asyncio.run(bounded())
    except ServiceError as error:
        reason = str(error)
    except TimeoutError:
        reason = f"it was not done within {seconds:g} s"
    print(f"Not measured: {reason}", file=sys.stderr)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
