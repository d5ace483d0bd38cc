"""The ledger: how fast it is, how it bears growth, and what is lost when its server fails."""

from bench.faults.ledger_faults import LedgerFaults
from bench.ledger.figures import LedgerFigures
from bench.ledger.speed import BARE, BARE_IN_TURN
from bench.page import at_least, on, section, table, verdict

TARGET_POSTED, TARGET_OF_BARE = 2_500, 0.17
TARGET_OF_PGLEDGER, TARGET_OF_HOT_PGLEDGER = 1.2, 3.0
TARGET_BATCHED, TARGET_RECEIVED, TARGET_RECEIVED_OF_BARE = 20_000, 1_800, 0.1
TARGET_FIFO_SECONDS, TARGET_STATEMENT_MS, TARGET_DEARER = 2.0, 100.0, 0.2

FLOOR = (
    "Where the floor is: a payment writes four rows (transaction, transfer, open item, number; nine entries of"
    " indexes) and two more in place (balance, counter), a transfer of pgledger three and two. What a payment"
    " costs beyond it are the ledger's rules, each a function or a condition of its own that is checked for"
    " every way in: of the server's CPU a quarter sets up the executor for their statements, a quarter is"
    " triggers after the statement, and no function has more than a tenth. Of bulk FIFO a sixth decides who"
    " settles whom, a fifth writes allocations with their three indexes, and half updates the open items: each"
    " leaves the index of what is open, so PostgreSQL writes the whole row and its key anew (no heap-only"
    " tuples)."
)


def speed(found: LedgerFigures) -> str:
    """How fast the ledger is."""
    bulk, statement, growth = found.bulk_fifo, found.statement, found.growth
    return section(
        "The ledger alone",
        f"Every guard on, every commit on disk, {found.accounts:,} accounts. Single postings and transfers come from 8"
        " connections of pgbench, batches from 4 of Python; all are measured in turns on one server, and the median of"
        f" {found.rounds} rounds is shown."
        + (
            f" pgledger is a public ledger in PL/pgSQL, at its commit {found.pgledger_revision}."
            * bool(found.pgledger_revision)
        ),
        table(
            ("Measured", "A second", "Of one-row commits"),
            [(name, f"{rate:,.0f}", f"{rate / found.rates[BARE]:.1%}") for name, rate in found.rates.items()],
        ),
        f"Numbers without gaps would let payments commit only one after another, {found.rates[BARE_IN_TURN]:,.0f} a"
        f" second at the most. Theirs may have gaps (decision 0112): they reach"
        f" {found.posted / found.rates[BARE_IN_TURN]:.0%} of that.",
        f"Bulk FIFO made {bulk.allocations:,} allocations between {bulk.credits:,} credits and {bulk.invoices:,}"
        f" invoices in {bulk.seconds:.2f} s and one commit, while its server process grew by {bulk.grew_mib:.1f} MiB."
        f" The statement of an account with {statement.transactions:,} transactions was read in"
        f" {statement.milliseconds:.1f} ms.",
        table(
            ("Transfers in the ledger", "A payment, us of CPU", "An invoice of a batch, us of CPU"),
            [
                (f"{cost.transfers:,}", f"{cost.payment_us:.0f}", f"{cost.batched_invoice_us:.0f}")
                for cost in (growth.small, growth.large)
            ],
        ),
        "Both are measured after warming up. For a while after a checkpoint an invoice costs more in the large:"
        " PostgreSQL logs a page whole when it first changes, and there nearly each invoice is first on its page.",
        FLOOR,
        *_verdicts(found),
        on(found.machine),
    )


def _verdicts(found: LedgerFigures) -> tuple[str, ...]:
    growth = found.growth
    single = verdict(
        f"single postings at {TARGET_POSTED:,}/s, or {TARGET_OF_BARE:.0%} of one-row commits",
        f"{found.posted:,.0f}/s, {found.of_bare:.1%}",
        met=found.posted >= TARGET_POSTED or found.of_bare >= TARGET_OF_BARE,
    )
    pgledger = (
        (
            at_least("times pgledger", found.of_pgledger, TARGET_OF_PGLEDGER, ".2f"),
            at_least("times pgledger with one clearing account", found.of_hot_pgledger, TARGET_OF_HOT_PGLEDGER, ".2f"),
        )
        if found.of_pgledger and found.of_hot_pgledger
        else ()
    )
    return (
        single,
        *pgledger,
        at_least("invoices/s in batches", found.best_batch, TARGET_BATCHED, ",.0f"),
        verdict(
            f"{TARGET_RECEIVED:,} payments/s that settle an invoice, or {TARGET_RECEIVED_OF_BARE:.0%} of one-row"
            " commits",
            f"{found.received:,.0f}/s, {found.received / found.rates[BARE]:.1%}",
            met=found.received >= TARGET_RECEIVED or found.received >= TARGET_RECEIVED_OF_BARE * found.rates[BARE],
        ),
        verdict(
            f"bulk FIFO within {TARGET_FIFO_SECONDS:g} s",
            f"{found.bulk_fifo.seconds:.2f} s",
            met=found.bulk_fifo.seconds <= TARGET_FIFO_SECONDS,
        ),
        verdict(
            f"a long statement within {TARGET_STATEMENT_MS:g} ms",
            f"{found.statement.milliseconds:.1f} ms",
            met=found.statement.milliseconds <= TARGET_STATEMENT_MS,
        ),
        verdict(
            f"a posting at {growth.large.transfers:,} transfers within {TARGET_DEARER:.0%} of one at"
            f" {growth.small.transfers:,}",
            f"{growth.dearer:+.1%}",
            met=growth.dearer <= TARGET_DEARER,
        ),
    )


def faults(found: LedgerFaults) -> str:
    """What was lost."""
    lost = sum(one.verdict.lost + one.verdict.doubled for one in found.outcomes)
    late = sum(one.verdict.longest_gap_seconds > one.gap_seconds_max for one in found.outcomes)
    broken = sum(one.verdict.violations for one in found.outcomes)
    return section(
        "The ledger under faults",
        "Eight writers post payments without pause and ask again with the same key until they are answered, while"
        " faults are injected. Afterwards each acknowledged key must be there exactly once, and no invariant of the"
        " ledger may be broken. The rows are those of the project's plan for reliability.",
        table(
            (
                "Row",
                "Fault",
                "Injections",
                "Acknowledged",
                "Asked again",
                "Longest gap, s",
                "Lost",
                "Doubled",
                "Broken",
            ),
            [
                (
                    one.row,
                    one.fault,
                    one.injections,
                    f"{one.verdict.acknowledged:,}",
                    one.verdict.unanswered,
                    f"{one.verdict.longest_gap_seconds:.2f} of {one.gap_seconds_max:g}",
                    one.verdict.lost,
                    one.verdict.doubled,
                    one.verdict.violations,
                )
                for one in found.outcomes
            ],
        ),
        *(f"- Left out: {reason}." for reason in found.left_out),
        verdict("nothing acknowledged lost or doubled", str(lost), met=lost == 0),
        verdict("nobody without an answer for longer than expected", f"{late} faults", met=late == 0),
        verdict("no invariant of the ledger broken", str(broken), met=broken == 0),
        on(found.machine),
    )
