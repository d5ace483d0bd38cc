"""Measures every figure and writes docs/performance.md: `make bench`, or one figure with `python -m bench NAME`."""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.chaos.figures import SEED, ChaosFigures, ChaosOptions, measure_chaos
from bench.document import DOCUMENT, document, section_of
from bench.faults.ledger_faults import measure_ledger_faults
from bench.figures.cards import measure_cards
from bench.figures.certainty import KINDS, measure_certainty
from bench.figures.documents import measure_documents
from bench.figures.paced import PACES, measure_paced
from bench.figures.reconcile import measure_reconcile
from bench.figures.sandbox import measure_sandbox
from bench.figures.supervise import measure_checking, measure_supervise
from bench.figures.throughput import measure_throughput
from bench.figures.webhook import measure_webhook
from bench.ledger.figures import FULL, QUICK, measure_ledger
from bench.results import FOLDER, keep
from bench.scale.figures import ACCOUNTS, COLLECT_SECONDS, SMALL, measure_scale
from bench.scale.page import SCALE_DOCUMENT, scale_document, simulated
from bench.second_opinion.figures import measure_second_opinion
from sandbox.servers.processes import ServiceError

MINUTE = 60.0

app = typer.Typer(add_completion=False, help=__doc__)
scale_app = typer.Typer()
app.add_typer(scale_app, name="scale")
Quick = Annotated[bool, typer.Option("--quick", help="Small and soon over, to see that it works: nothing is kept.")]
Measurement = Coroutine[Any, Any, object]

# What the gate has of it as well, in half a minute and some.
SHORT_CHAOS = ChaosOptions(
    accounts=40,
    collections=110,
    pause_seconds=1.0,
    freeze_seconds=2.0,
    settle_seconds=120.0,
    missed_seconds=3.0,
    injections_min=8,
)
FULL_CHAOS = ChaosOptions(accounts=1_000, collections=10_000, injections_min=150)


@dataclass(frozen=True)
class Figure:
    """How a figure is measured, in full and quickly, and the longest time that the full measurement may take."""

    full: Callable[[], Measurement]
    quick: Callable[[], Measurement]
    seconds_max: float


FIGURES = {
    "paced": Figure(lambda: measure_paced(seconds=60), lambda: measure_paced(seconds=8, paces=PACES[:2]), 90 * MINUTE),
    "throughput": Figure(
        lambda: measure_throughput(accounts=2_500, pairs=3),
        lambda: measure_throughput(accounts=200, pairs=1),
        20 * MINUTE,
    ),
    "scale": Figure(
        lambda: measure_scale(accounts=ACCOUNTS, seconds_max=COLLECT_SECONDS),
        lambda: measure_scale(accounts=2_000, seconds_max=MINUTE / 2),
        60 * MINUTE,
    ),
    "chaos": Figure(
        lambda: measure_chaos(FULL_CHAOS),
        lambda: measure_chaos(SHORT_CHAOS),
        180 * MINUTE,
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
    "supervise-check": Figure(
        lambda: measure_checking(objects=100_000), lambda: measure_checking(objects=2_000), 40 * MINUTE
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
    "documents": Figure(
        lambda: measure_documents(documents=2_000), lambda: measure_documents(documents=20), 15 * MINUTE
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
    """Measure payments a second against a gateway that caps them, at once, late, and with some that never answer."""
    _measure("paced", quick=quick)


@app.command()
def throughput(quick: Quick = False) -> None:
    """Measure payments a second and CPU per payment without a cap, with Temporal and without."""
    _measure("throughput", quick=quick)


@app.command()
def documents(quick: Quick = False) -> None:
    """Measure how many invoices a minute are written as PDF and as e-invoices, and checked."""
    _measure("documents", quick=quick)


@app.command()
def certainty(quick: Quick = False) -> None:
    """Measure how long an outcome stays unknown after each kind of fault."""
    _measure("certainty", quick=quick)


@app.command()
def chaos(
    quick: Quick = False,
    seed: Annotated[int, typer.Option(help="What is drawn: customers, faults, whom they befall.")] = SEED,
    collections: Annotated[int, typer.Option(min=0, help="So many at least; 0 is as many as the form has.")] = 0,
    accounts: Annotated[int, typer.Option(min=0, help="Customers; 0 is as many as the form has.")] = 0,
    minutes: Annotated[float, typer.Option(min=0.1, help="No month begins after so long.")] = 120.0,
    is_kept: Annotated[bool, typer.Option("--keep/--no-keep", help="Write it into docs/performance.md.")] = True,
) -> None:
    """Kill, freeze, cut off and mislead every part while months are collected; then ask an oracle what is wrong.

    Leaves with 1 when it has found anything.
    """
    form = SHORT_CHAOS if quick else FULL_CHAOS
    options = replace(
        form,
        seed=seed,
        collections=collections or form.collections,
        accounts=accounts or form.accounts,
        minutes_max=minutes,
    )
    print(f"Seed {seed}", flush=True)
    is_kept = is_kept and not quick
    found = _measure_as("chaos", lambda: measure_chaos(options), FIGURES["chaos"].seconds_max, is_kept=is_kept)
    if not isinstance(found, ChaosFigures) or found.has_failed:
        raise typer.Exit(1)


@scale_app.callback(invoke_without_command=True)
def scale(
    context: typer.Context,
    quick: Quick = False,
    accounts: Annotated[
        int, typer.Option(min=100, help=f"So many accounts; what fewer than {SMALL:,} give is shown and not kept.")
    ] = ACCOUNTS,
    seconds: Annotated[float, typer.Option(min=1, help="So long is collected from them.")] = COLLECT_SECONDS,
) -> None:
    """Measure a month of a million accounts: billed, frozen, collected in part, certified and audited."""
    if context.invoked_subcommand is not None:
        return
    figure = FIGURES["scale"]
    measurement = figure.quick if quick else lambda: measure_scale(accounts=accounts, seconds_max=seconds)
    name = "scale" if accounts >= ACCOUNTS else "scale-small"
    _measure_as(name, measurement, figure.seconds_max, is_kept=not quick and accounts >= SMALL)


@scale_app.command("simulate")
def simulate() -> None:
    """Carry the kept figures to ten million accounts, and print the tables of docs/scale.md."""
    print("\n\n".join(f"{name}\n\n{text}" for name, text in simulated().items()))


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


@app.command("supervise-check")
def supervise_check(quick: Quick = False) -> None:
    """Measure how long 100,000 open objects without a workflow take to be found, and how large that grows."""
    _measure("supervise-check", quick=quick)


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
    """Write docs/performance.md, and the tables of docs/scale.md, from what is kept."""
    for file, text in ((DOCUMENT, document()), (SCALE_DOCUMENT, scale_document())):
        file.write_text(text, encoding="utf-8")
        print(f"Written: {file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file}")


def _measure(name: str, *, quick: bool) -> None:
    """Measure a figure and show it; a full measurement is kept, and the documents written anew."""
    figure = FIGURES[name]
    _measure_as(name, figure.quick if quick else figure.full, figure.seconds_max, is_kept=not quick)


def _measure_as(name: str, measurement: Callable[[], Measurement], seconds_max: float, *, is_kept: bool) -> object:
    with tempfile.TemporaryDirectory() as temporary:
        folder = FOLDER if is_kept else Path(temporary)
        keep(name, found := _within(seconds_max, measurement), folder)
        print(section_of(name, folder), flush=True)
    if is_kept:
        write_document()
    return found


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
