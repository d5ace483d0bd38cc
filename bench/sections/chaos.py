"""Chaos: what was harmed, how soon everything went on, and what the oracle found."""

from collections.abc import Mapping
from statistics import median

from bench.chaos.figures import ChaosFigures, InjectedKind
from bench.page import on, section, table, verdict

FINDINGS_SHOWN = 20


def chaos(found: ChaosFigures) -> str:
    """Everything is harmed, and nothing is lost."""
    judged, left = found.verdict, found.left
    middle, high, longest = found.certainty_seconds
    return section(
        "Chaos",
        "Months of a company run while its workers, the receiver of events, PostgreSQL and Temporal are killed and"
        " frozen, connections are cut, logs cannot be written, clocks are wrong, operators end workflows at random, and"
        " calls and events of the gateway go wrong in every way that the sandbox has. Afterwards an oracle that imports"
        " nothing of the product compares the gateway's records with the tables, by its own SQL. Payment requests,"
        " wallets, vouchers and bank debits are not among these yet.",
        f"Seed {found.seed}: {found.collections:,} collections in {found.seconds:,.0f} s, {found.per_second:g} a"
        f" second, with {_listed(found.counted)}. Settled {found.settling_seconds:,.0f} s after the last fault."
        f" {judged.attempts:,} attempts; from its row to its outcome one took {middle:g} s (median), {high:g} s (99th"
        f" percentile), {longest:g} s at the most."
        + (f" Load average of the last 15 minutes at the end: {found.load_average:g}." if found.load_average else ""),
        table(
            ("Fault", "Times", "Back, s: median", "Most", "Next outcome, s: median", "Most"), map(_row, found.injected)
        ),
        f"Calls that went wrong: {_listed(found.call_faults)}. Events: {_listed(found.event_faults)}.",
        f"Left to persons, where they see it: {_listed(left.visible) or 'nothing'}.",
        *(f"- Found: {finding}." for finding in (*judged.findings, *left.stuck)[:FINDINGS_SHOWN]),
        verdict(
            "no double charge",
            f"{len(judged.double_charges)}, {judged.doubled_per_million:g} a million attempts",
            met=not judged.double_charges,
        ),
        verdict("no payment lost", str(len(judged.lost_payments)), met=not judged.lost_payments),
        verdict(
            "no discrepancy between ledger and gateway", str(len(judged.discrepancies)), met=not judged.discrepancies
        ),
        verdict("no invariant broken", str(len(judged.broken_invariants)), met=not judged.broken_invariants),
        verdict(
            "nothing stuck: all is over or waits where a person sees it", f"{len(left.stuck)} stuck", met=not left.stuck
        ),
        on(found.machine),
    )


def _row(one: InjectedKind) -> tuple[object, ...]:
    return (one.name, one.times, *_middle_and_most(one.back_seconds), *_middle_and_most(one.next_outcome_seconds))


def _middle_and_most(seconds: tuple[float, ...]) -> tuple[str, str]:
    return (f"{median(seconds):.1f}", f"{max(seconds):.1f}") if seconds else ("", "")


def _listed(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counted.items())
