"""Chaos: what was harmed, how soon everything went on, and what the oracle found."""

from collections.abc import Mapping
from statistics import median

from bench.chaos.figures import ChaosFigures, InjectedKind
from bench.page import on, section, table, verdict

FINDINGS_SHOWN = 20
# What a run counts that has them, and what is said of one that was kept before they were there.
FAMILIES = "payment requests"
WITH = ", with payment requests, wallets, vouchers and bank debits by file,"
WITHOUT = " Payment requests, wallets, vouchers and bank debits were not among what is measured here."


def chaos(found: ChaosFigures) -> str:
    """Everything is harmed, and nothing is lost."""
    judged, left = found.verdict, found.left
    middle, high, longest = found.certainty_seconds
    return section(
        "Chaos",
        f"Months of a company run{WITH if FAMILIES in found.counted else ''} while its workers, the receiver of events,"
        " PostgreSQL and Temporal are killed and frozen, connections are cut, logs cannot be written, clocks are wrong,"
        " operators end workflows at random, and calls and events of the gateway go wrong in every way that the sandbox"
        " has. Afterwards an oracle that imports nothing of the product compares the gateway's records, the bank's and"
        f" what was acknowledged with the tables, by its own SQL.{'' if FAMILIES in found.counted else WITHOUT}",
        f"Seed {found.seed}: {found.collections:,} collections in {found.seconds:,.0f} s, {found.per_second:g} a"
        f" second, with {_listed(found.counted)}. Settled {found.settling_seconds:,.0f} s after the last fault."
        f" {judged.attempts:,} attempts; from its row to its outcome one took {middle:g} s (median), {high:g} s (99th"
        f" percentile), {longest:g} s at the most."
        f" {sum(one.times for one in found.injected)} faults, {found.kills} of them kills; what was harmed served again"
        f" after {_of_all(found, 'back_seconds')}, and the next outcome was known after"
        f" {_of_all(found, 'next_outcome_seconds')}."
        + (f" Load average of the last 15 minutes at the end: {found.load_average:g}." if found.load_average else ""),
        table(
            ("Fault", "Times", "Back, s: median", "Most", "Next outcome, s: median", "Most"), map(_row, found.injected)
        ),
        f"Calls that went wrong: {_listed(found.call_faults)}. Events: {_listed(found.event_faults)}.",
        f"Left to persons, where they see it: {_listed(left.visible) or 'nothing'}.",
        *(f"- Found: {finding}." for finding in (*judged.findings, *left.stuck)[:FINDINGS_SHOWN]),
        verdict(
            "no double charge",
            f"{len(judged.double_charges)} of {judged.attempts:,} attempts, {judged.doubled_per_million:g} a million",
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


def _of_all(found: ChaosFigures, name: str) -> str:
    """Say what it was of all faults together."""
    middle, most = _middle_and_most(tuple(seconds for one in found.injected for seconds in getattr(one, name)))
    return f"{middle} s (median), {most} s at the most" if middle else "nothing"


def _row(one: InjectedKind) -> tuple[object, ...]:
    return (one.name, one.times, *_middle_and_most(one.back_seconds), *_middle_and_most(one.next_outcome_seconds))


def _middle_and_most(seconds: tuple[float, ...]) -> tuple[str, str]:
    return (f"{median(seconds):.1f}", f"{max(seconds):.1f}") if seconds else ("", "")


def _listed(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counted.items())
