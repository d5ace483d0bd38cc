"""A large month: how long each part of a month takes, and what each of them costs."""

from collections.abc import Iterator

from bench.page import on, section, table, verdict
from bench.scale.figures import TARGET_EVENTS, TARGET_GROWTH, TARGET_SHARE_OF_TIMEOUT, Scale
from bench.scale.runs import RunTimes
from bench.scale.storage import TableGrowth

# The machine itself keeps about this much busy.
IDLE_CORES = 0.3
TABLES_SHOWN = 12
STATEMENTS_SHOWN = 8


def scale(found: Scale) -> str:
    """A month of very many accounts."""
    return section(
        "A month from end to end",
        *_times_and_limits(found),
        "Bytes that one more adds to the database, indexes included. A payment has what its member was frozen with, and"
        f" what was written when it was made; {found.billing.logged_bytes:,.0f} bytes of log an invoice, and"
        f" {found.payments.logged_bytes:,.0f} a payment.",
        table(("Table", "An account", "An invoice", "A payment"), _tables(found)),
        *_verdicts(found),
        on(found.machine),
    )


def large_month(found: Scale) -> str:
    """A month of a million accounts: its times alone, since so few of them are collected from."""
    return section(
        "A large month",
        *_times_and_limits(found),
        "What a payment costs in bytes and CPU is in the month above. Here the release of all others weighs more.",
        *_verdicts(found),
        on(found.machine),
    )


def _times_and_limits(found: Scale) -> tuple[str, ...]:
    return (
        _what_was_done(found),
        table(
            (
                "Run",
                "Members",
                "Frozen in, s",
                "First done after, s",
                "Done",
                "A second",
                "Released in, s",
                "Certified in, s",
            ),
            [_times("Billing", found.billing), _times("Payments", found.payments)],
        ),
        table(
            ("Statement", "Longest, s", "Its time-out, s", "Share"),
            [
                (f"`{slow.function}`", f"{slow.seconds:.2f}", f"{slow.timeout_seconds:,.0f}", f"{slow.share:.1%}")
                for slow in found.statements[:STATEMENTS_SHOWN]
            ],
        ),
        _audit(found),
        _histories(found),
        table(
            ("Run", "Memory", "First tenth, MiB", "Last tenth, MiB", "Growth"),
            [
                (memory.run, memory.part, f"{memory.first_mib:.1f}", f"{memory.last_mib:.1f}", f"{memory.growth:+.1%}")
                for memory in found.memory
            ],
        ),
    )


def _what_was_done(found: Scale) -> str:
    left = found.payments.members - found.payments.done
    slice_of_all = (
        f"of {found.payments.members:,} members {found.payments.done:,} were asked within the time that the measurement"
        f" has, then the run was aborted and the other {left:,} were released"
        if left
        else f"all {found.payments.members:,} members were asked"
    )
    return (
        f"{found.accounts:,} accounts with a subscription and a card each were opened in {found.load_seconds:,.0f} s,"
        f" by the functions that an import calls. All were billed. In the payment run {slice_of_all}. The gateway is in"
        " the worker's own process and answers at once; one card in fifty is declined, whose collection goes on beside"
        f" the run. Then the ledger was audited: {found.violations} violations. One worker for workflows and one for"
        f" gateway calls, {found.connections} connections at the most. {_load(found)}"
    )


def _audit(found: Scale) -> str:
    vacuumed = ", ".join(
        f"`{one.name}` {(one.table_bytes + one.index_bytes) / 2**20:,.0f} MiB in {one.seconds:.1f} s"
        for one in found.vacuumed
    )
    return (
        f"The audit summed and sealed what was posted in {found.seal_seconds:,.0f} s. Then it checked one rule after"
        f" the other: {found.audit_seconds:,.0f} s for {len(found.rules)} rules, the longest {_longest_rule(found)}."
        f" Vacuum of the largest tables: {vacuumed}."
    )


def _histories(found: Scale) -> str:
    return table(
        ("Workflow", "Executions", "Events", "Most events in one history", "Bytes of history", "Actions"),
        [
            (
                history.workflow,
                f"{history.executions:,}",
                f"{history.events:,}",
                f"{history.events_max:,}",
                f"{history.size_bytes:,}",
                f"{history.all_actions:,}",
            )
            for history in found.histories
        ],
    )


def _load(found: Scale) -> str:
    foreign = found.foreign_cores
    busy = f"Other programs kept up to {foreign:.2f} cores busy"
    return f"{busy}: **measured under load**, its times are too long." if foreign > IDLE_CORES else f"{busy}."


def _times(name: str, run: RunTimes) -> tuple[object, ...]:
    return (
        name,
        f"{run.members:,}",
        f"{run.freeze_seconds:.1f}",
        f"{run.first_seconds:.1f}",
        f"{run.done:,}",
        f"{run.per_second:,.1f}",
        f"{run.release_seconds:.1f}" if run.release_seconds else "",
        f"{run.certify_seconds:.1f}",
    )


def _longest_rule(found: Scale) -> str:
    longest = max(found.rules, key=lambda rule: rule.seconds)
    return f"({longest.rule}) {longest.seconds:.1f} s"


def _tables(found: Scale) -> Iterator[tuple[object, ...]]:
    accounts, invoices = _by_name(found.account_tables), _by_name(found.billing.frozen, found.billing.tables)
    payments = _by_name(found.payments.frozen, found.payments.tables)
    whole = {
        name: sum(each.get(name, 0.0) for each in (accounts, invoices, payments))
        for name in accounts | invoices | payments
    }
    names = sorted(whole, key=lambda name: whole[name], reverse=True)
    for name in names[:TABLES_SHOWN]:
        yield (f"`{name}`", *(f"{each[name]:,.0f}" if name in each else "" for each in (accounts, invoices, payments)))
    rest = names[TABLES_SHOWN:]
    parts = (accounts, invoices, payments)
    if rest:
        yield (f"{len(rest)} others", *(f"{sum(each.get(name, 0.0) for name in rest):,.0f}" for each in parts))
    yield ("All", *(f"{sum(each.values()):,.0f}" for each in parts))


def _by_name(*parts: tuple[TableGrowth, ...]) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in (each for part in parts for each in part):
        found[one.name] = found.get(one.name, 0.0) + one.all_bytes
    return found


def _verdicts(found: Scale) -> tuple[str, ...]:
    nearest = found.statements[0]
    return (
        verdict(
            f"no history above {TARGET_EVENTS:,} events", f"{found.events_max:,}", met=found.events_max <= TARGET_EVENTS
        ),
        verdict(
            f"memory of the first and last tenth within {TARGET_GROWTH:.0%}",
            f"{found.growth_max:+.1%}",
            met=found.growth_max <= TARGET_GROWTH,
        ),
        verdict(
            f"no statement beyond {TARGET_SHARE_OF_TIMEOUT:.0%} of its time-out",
            f"`{nearest.function}` at {nearest.share:.1%}",
            met=nearest.share <= TARGET_SHARE_OF_TIMEOUT,
        ),
        verdict("every rule of the ledger holds", f"{found.violations} violations", met=found.violations == 0),
    )
