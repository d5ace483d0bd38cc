"""The tables of docs/scale.md, each between its marks: what is simulated from the kept figures."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from bench.page import table
from bench.results import FOLDER, kept
from bench.scale.figures import Scale
from bench.scale.parameters import Parameters, read_parameters
from bench.scale.simulation import (
    GIB,
    HOURS_OF_MONTH,
    MonthAtScale,
    UnitCosts,
    cluster_for,
    cost_of,
    limits,
    months_of,
    tables_of,
    units_of,
)

SCALE_DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "scale.md"
TABLES_SHOWN = 10

_MARKED = re.compile(r"(<!-- simulated: ([a-z]+) -->)\n.*?(<!-- end -->)", re.DOTALL)


def scale_document(folder: Path = FOLDER) -> str:
    """Return the page with its tables made anew."""
    return filled(SCALE_DOCUMENT.read_text(encoding="utf-8"), simulated(folder))


def filled(text: str, tables: Mapping[str, str]) -> str:
    """Put tables between their marks. Raises KeyError for a mark that no table is for."""
    return _MARKED.sub(lambda mark: f"{mark[1]}\n\n{tables[mark[2]]}\n\n{mark[3]}", text)


def simulated(folder: Path = FOLDER) -> dict[str, str]:
    """Return every table by its name."""
    found, large, given = kept("scale-small", Scale, folder), kept("scale", Scale, folder), read_parameters()
    if found is None or large is None:
        return {}
    unit = units_of(found, large)
    return {
        "units": _units(found, large, unit),
        "sizes": _sizes(unit, given),
        "costs": _costs(unit, given),
        "limits": _limits(unit, given),
        "months": _months(unit, given),
        "tables": _tables(found, large, given),
    }


def _units(found: Scale, large: Scale, unit: UnitCosts) -> str:
    rows = (
        ("History events of a payment, with its share of shards and run", f"{unit.payment_events:.2f}"),
        ("Actions of a payment", f"{unit.payment_actions:.3f}"),
        ("Writes of a payment (state transitions)", f"{unit.payment_writes:.2f}"),
        ("Bytes of history of a payment", f"{unit.payment_history:,.0f}"),
        ("Actions of a collection that was declined", f"{unit.declined_actions:.1f}"),
        ("Bytes of history of such a collection", f"{unit.declined_history:,.0f}"),
        ("CPU of a payment: Temporal, workers, PostgreSQL, ms", _cpu(unit)),
        ("Bytes in the database: an account, an invoice, a payment", _bytes(unit)),
        ("Bytes of log: an invoice, a payment", f"{unit.invoice_logged:,.0f}, {unit.payment_logged:,.0f}"),
        ("Invoices a second, page after page", f"{unit.invoices_per_second:,.0f}"),
        ("Freezing a member, ms", f"{unit.freeze_ms:.3f}"),
        ("Certifying a member, ms", f"{unit.certify_ms:.3f}"),
        ("Auditing a posting, all rules, ms", f"{unit.audit_ms:.3f}"),
    )
    return table((f"Measured at {found.accounts:,} accounts, times of all at {large.accounts:,}", ""), rows)


def _cpu(unit: UnitCosts) -> str:
    return f"{unit.temporal_ms:.2f}, {unit.workers_ms:.2f}, {unit.postgresql_ms:.2f}"


def _bytes(unit: UnitCosts) -> str:
    return f"{unit.account_bytes:,.0f}, {unit.invoice_bytes:,.0f}, {unit.payment_bytes:,.0f}"


def _sizes(unit: UnitCosts, given: Parameters) -> str:
    size = cluster_for(unit, given)
    rows: tuple[tuple[str, Callable[[MonthAtScale], str]], ...] = (
        ("Declined at first, a collection each", lambda month: f"{month.declined:,}"),
        ("Billing, hours", lambda month: _hours(month.billing_seconds)),
        ("Collecting, hours", lambda month: _hours(month.collecting_seconds)),
        ("Freezing a run, minutes", lambda month: f"{month.freeze_seconds / 60:.1f}"),
        ("A certificate, minutes", lambda month: f"{month.certify_seconds / 60:.1f}"),
        ("Actions a month, millions", lambda month: f"{month.actions / 1e6:.2f}"),
        ("Actions a second at the rate", lambda month: f"{month.actions_per_second:,.0f}"),
        ("Temporal's writes a second", lambda month: f"{month.writes_per_second:,.0f}"),
        ("History kept, GiB", lambda month: f"{month.retained_bytes / GIB:,.1f}"),
        ("Database's growth a month, GiB", lambda month: f"{month.grown_bytes / GIB:,.1f}"),
        ("Log a month, GiB", lambda month: f"{month.logged_bytes / GIB:,.1f}"),
        ("Log at the rate, MiB/s", lambda month: f"{month.logged_per_second / 2**20:.1f}"),
        ("Cores at the rate: Temporal, workers, PostgreSQL", _cores),
    )
    columns = _first_months(unit, given)
    found = table(
        ("", *(f"{month.accounts:,} accounts" for month in columns)),
        [(what, *(show(month) for month in columns)) for what, show in rows],
    )
    cluster = (
        f"At {given.gateway_calls_per_second:g} calls a second: {size.run_shards} shards of a run,"
        f" {size.history_shards:,} history shards, {size.partitions} partitions of the gateway's queue,"
        f" {size.gateway_workers} worker processes with {size.connections} connections together, of"
        f" {given.database.connections_max} that the server takes. Temporal Cloud gives a namespace"
        f" {given.cloud.actions_per_second} actions a second at first."
    )
    return f"{found}\n\n{cluster}"


def _cores(month: MonthAtScale) -> str:
    return f"{month.temporal_cores:.1f}, {month.worker_cores:.1f}, {month.postgresql_cores:.1f}"


def _costs(unit: UnitCosts, given: Parameters) -> str:
    rows = []
    for month in _first_months(unit, given):
        cost = cost_of(month, given)
        rows.append(
            (
                f"{month.accounts:,}",
                f"{cost.cloud_actions:,.0f}",
                f"{cost.cloud_storage:,.0f}",
                f"{cost.cloud:,.0f}",
                f"{cost.own_cluster:,.0f}",
                f"{cost.workers:,.0f}",
                f"{cost.postgresql:,.0f}",
                f"{(cost.cloud + cost.workers + cost.postgresql) / month.accounts * 100:.2f}",
            )
        )
    found = table(
        (
            "Accounts",
            "Cloud: actions",
            "Cloud: storage",
            "Cloud with its plan",
            "Own cluster instead",
            "Workers",
            "PostgreSQL",
            "Cents a payment, with the Cloud",
        ),
        rows,
    )
    return (
        f"{found}\n\nDollars a month, in the first month. Temporal Cloud's list of {given.cloud.read_on};"
        f" machines at {given.self_hosted.core_hour:g} a core and hour, {HOURS_OF_MONTH:g} hours,"
        f" {given.self_hosted.copies} copies, of {given.self_hosted.read_on}."
    )


def _limits(unit: UnitCosts, given: Parameters) -> str:
    most = max(given.accounts)
    return table(
        ("What", "From so many accounts on", f"With {most:,}"),
        [
            (
                limit.what,
                _rounded(limit.accounts),
                f"in month {limit.month}" if limit.month else "not within the months",
            )
            for limit in limits(unit, given)
        ],
    )


def _months(unit: UnitCosts, given: Parameters) -> str:
    most = max(given.accounts)
    shown = [month for month in months_of(most, unit, given) if month.month in {1, 6, 12, 18, given.months}]
    return table(
        ("Month", "Database, GiB", "A full audit, hours", "Its longest rule, minutes"),
        [
            (
                month.month,
                f"{month.database_bytes / GIB:,.0f}",
                _hours(month.audit_seconds),
                f"{month.rule_seconds / 60:,.1f}",
            )
            for month in shown
        ],
    )


def _tables(found: Scale, large: Scale, given: Parameters) -> str:
    return table(
        ("Table", "Its rows, GiB", "Its indexes, GiB", "Its vacuum, minutes"),
        [
            (
                f"`{one.name}`",
                f"{one.table_bytes / GIB:,.0f}",
                f"{one.index_bytes / GIB:,.0f}",
                f"{one.vacuum_seconds / 60:,.1f}",
            )
            for one in tables_of(found, large, given)[:TABLES_SHOWN]
        ],
    )


def _first_months(unit: UnitCosts, given: Parameters) -> Iterable[MonthAtScale]:
    return [next(months_of(accounts, unit, given)) for accounts in given.accounts]


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:,.2f}"


def _rounded(accounts: float) -> str:
    """Two digits: no more of it is known."""
    return f"{float(f'{accounts:.2g}'):,.0f}"
