"""The demo on a terminal: the steps, the progress, the summary. Standard output carries nothing but the report."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from models.currency import exponent_of
from models.money import Money
from sandbox.demo.outcomes import OPEN, AccountOutcome, Tally
from sandbox.demo.report import DemoReport
from sandbox.portal import HOW_IN

# What counts while it runs, in the words of a narrow line.
_IN_PROGRESS = {
    AccountOutcome.CHARGED: "charged",
    AccountOutcome.RECOVERED: "recovered",
    AccountOutcome.IN_DUNNING: "in dunning",
    AccountOutcome.GIVEN_UP: "declined",
    AccountOutcome.UNKNOWN: "unknown",
}


class DemoProgress:
    """A bar of the accounts that are done, with what became of them."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID = progress.add_task("", total=None, counts="", rate="")

    def show(self, tally: Tally) -> None:
        """Show the newest counts."""
        charged = tally[AccountOutcome.CHARGED] + tally[AccountOutcome.RECOVERED]
        done = tally.total() - sum(tally[outcome] for outcome in OPEN)
        task = self._progress.tasks[self._task]
        self._progress.update(
            self._task,
            total=tally.total(),
            completed=done,
            counts=" · ".join(f"{tally[outcome]} {name}" for outcome, name in _IN_PROGRESS.items() if tally[outcome]),
            rate=f"{charged / task.elapsed:.0f}/s" if task.elapsed else "",
        )


class DemoDisplay:
    """Writes to the terminal. What is not the report goes to standard error, so that the report can be piped."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._aside = Console(stderr=True, highlight=False)
        self._report = Console(highlight=False, soft_wrap=True)

    def step(self, what: str) -> None:
        """Say what is being done."""
        self._aside.print(f"[dim]-[/dim] {what}")

    @contextlib.contextmanager
    def progress(self) -> Iterator[DemoProgress]:
        """Show a bar for as long as the context lasts; only a terminal shows it."""
        columns = (
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TextColumn("{task.fields[counts]} · {task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
        )
        with Progress(*columns, console=self._aside, transient=True, disable=not self._aside.is_terminal) as progress:
            yield DemoProgress(progress)

    def summary(self, report: DemoReport) -> None:
        """Print the report, for a person or for a program."""
        if self._as_json:
            self._report.print(json.dumps(report.as_json(), indent=2, default=str), markup=False)
            return
        self._report.print()
        if report.months:
            self._report.print(_months(report))
        self._report.print(_what_happened(report))
        self._report.print(_money(report))
        for line in _proof(report):
            self._report.print(line)
        for name, link in report.links.items():
            self._report.print(f"  {name:<11} {link}", markup=False)

    def kept(self, environment: Path, console: str, portal: str) -> None:
        """Say how to look around, and how to end it."""
        how = f"In another terminal, for duly: set -a; . {environment}; set +a"
        self._aside.print(f"\nThe console: {console}", soft_wrap=True, markup=False, highlight=False)
        self._aside.print(f"The portal: {portal}, {HOW_IN}", soft_wrap=True, markup=False, highlight=False)
        self._aside.print(f"\nThe stack keeps running until Ctrl-C. {how}", soft_wrap=True, markup=False)


_MEANINGS = {
    AccountOutcome.CHARGED: "charged",
    AccountOutcome.RECOVERED: "declined, then recovered",
    AccountOutcome.IN_DUNNING: "still in dunning",
    AccountOutcome.GIVEN_UP: "given up",
    AccountOutcome.SKIPPED: "not charged",
    AccountOutcome.UNKNOWN: "unknown",
    AccountOutcome.TO_DO: "not reached",
}


def _months(report: DemoReport) -> Table:
    table = Table(title="What the payment run of each month came to by now", title_justify="left")
    table.add_column("month")
    for name in ("asked", "charged", "recovered", "given up"):
        table.add_column(name, justify="right")
    for month in report.months:
        counts = (month.asked, month.charged, month.recovered, month.given_up)
        table.add_row(month.period, *(f"{count:,}" for count in counts))
    return table


def _what_happened(report: DemoReport) -> Table:
    table = Table(title=f"{report.period}: what became of {report.accounts} accounts", title_justify="left")
    table.add_column("outcome")
    table.add_column("why")
    table.add_column("accounts", justify="right")
    found: dict[tuple[str, str], int] = {}
    for count in sorted(report.reasons, key=lambda count: list(_MEANINGS).index(count.outcome)):
        key = (_MEANINGS[count.outcome], count.reason.replace("_", " "))
        found[key] = found.get(key, 0) + count.accounts
    for (outcome, why), accounts in found.items():
        table.add_row(outcome, why, str(accounts))
    return table


def _money(report: DemoReport) -> Table:
    table = Table(title="Money of all months" if report.months else "Money", title_justify="left")
    table.add_column("")
    for name in ("billed", "collected", "still owed", "fees", "gateway", "ledger"):
        table.add_column(name, justify="right")
    for each in report.money:
        gateway, ledger = (side.get(each.currency, 0) for side in (report.gateway_minor, report.ledger_minor))
        amounts = (each.billed_minor, each.collected_minor, each.owed_minor, each.fees_minor, gateway, ledger)
        table.add_row(each.currency, *(_shown(amount, each.currency) for amount in amounts))
    return table


def _shown(amount_minor: int, currency: str) -> str:
    return f"{Money(amount_minor, currency).to_decimal():,.{exponent_of(currency)}f}"


def _proof(report: DemoReport) -> Iterator[str]:
    yield _verdict(
        not report.double_charges, f"{report.charges_at_gateway} charges at the gateway, {report.double_charges} double"
    )
    yield _verdict(
        not report.discrepancies, f"ledger against gateway, object by object: {len(report.discrepancies)} discrepancies"
    )
    for found in report.discrepancies[:10]:
        yield f"    {found.reference}: gateway {found.at_gateway or 'nothing'}; ledger {found.in_ledger or 'nothing'}"
    yield _verdict(not report.invariants_broken, f"invariants of the ledger: {len(report.invariants_broken)} broken")
    for broken in report.invariants_broken[:10]:
        yield f"    {json.dumps(broken, default=str)}"
    yield (
        f"  {report.returns.rewards} rewards went back to customers, {report.returns.came_back} of them after a refund"
        f" had come back; {report.returns.disputes_lost} dispute lost, its payment cancelled"
    )
    if report.faults:
        yield f"  {sum(report.faults.values())} of {report.gateway_requests} calls of the gateway went wrong on purpose"
    yield f"  {report.seconds:g} s in all, {report.payments_per_second:g} payments a second"


def _verdict(holds: bool, what: str) -> str:
    return f"  [green]✓[/green] {what}" if holds else f"  [bold red]✗ {what}[/bold red]"
