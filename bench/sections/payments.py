"""Payments: under a cap, without one, and very many."""

from collections.abc import Iterable
from statistics import median

from bench.figures.paced import TARGET_EVENTS as TARGET_EVENTS_PER_PAYMENT
from bench.figures.paced import TARGET_SHARE, Paced
from bench.figures.scale import TARGET_EVENTS, TARGET_GROWTH, Scale
from bench.figures.throughput import TARGET_CPU_MS, TARGET_PER_SECOND, TARGET_RATIO, Throughput
from bench.measured_run import MeasuredRun
from bench.page import at_least, on, section, table, verdict


def paced(found: Paced) -> str:
    """Payments against a gateway's cap."""
    rows = [
        (
            f"{run.pace.cap:g}/s",
            f"{run.pace.rate:g}/s",
            run.measured.payments,
            f"{run.measured.steady_per_second:.2f}",
            f"{run.share_of_cap:.1%}",
            run.measured.refused_busy,
            run.measured.not_charged,
            f"{run.measured.events_per_payment:.2f}",
            f"{run.measured.foreign_cores:.2f}",
        )
        for run in found.runs
    ]
    share = min(run.share_of_cap for run in found.runs)
    lost = sum(run.measured.not_charged for run in found.runs)
    events = max(run.measured.events_per_payment for run in found.runs)
    return section(
        "Under a gateway's cap",
        "The sandbox refuses what exceeds the cap on one endpoint with a 429. The steady rate leaves out the first and"
        " the last tenth of a run. Where Duly is set faster than the cap, refusals are part of the test. Events are"
        " those of the shards' whole histories, for each payment.",
        table(
            (
                "Cap",
                "Set to",
                "Payments",
                "Steady payments/s",
                "Of the cap",
                "429s",
                "Not charged",
                "Events",
                "Other cores",
            ),
            rows,
        ),
        verdict(f"at least {TARGET_SHARE:.0%} of the cap", f"{share:.1%} at the least", met=share >= TARGET_SHARE),
        verdict("every 429 absorbed", f"{lost} payments not charged", met=lost == 0),
        verdict(
            f"at most {TARGET_EVENTS_PER_PAYMENT} history events per payment",
            f"{events:.2f} at the most",
            met=events <= TARGET_EVENTS_PER_PAYMENT,
        ),
        on(found.machine),
    )


def throughput(found: Throughput) -> str:
    """Payments a second, and what each costs."""
    by_temporal, by_loop = [pair.temporal for pair in found.pairs], [pair.plain for pair in found.pairs]
    return section(
        "Throughput and cost",
        f"{found.accounts:,} accounts are collected from without any limit, in turn by a plain loop over the `collect`"
        " activity in one process and by a payment run through Temporal, with the same number of payments in flight.",
        table(
            ("Pair", "Plain loop, payments/s", "Temporal, payments/s", "Ratio", "Other cores"),
            [
                (
                    number,
                    f"{pair.plain.per_second:.1f}",
                    f"{pair.temporal.per_second:.1f}",
                    f"{pair.ratio:.2f}",
                    f"{pair.plain.foreign_cores:.2f}, {pair.temporal.foreign_cores:.2f}",
                )
                for number, pair in enumerate(found.pairs, start=1)
            ],
        ),
        "CPU milliseconds per payment, median of the runs:",
        table(
            ("Process", "Temporal", "Plain loop"),
            [(part, _cpu(part, by_temporal), _cpu(part, by_loop)) for part in by_temporal[0].cpu_ms],
        ),
        at_least("payments/s", found.per_second, TARGET_PER_SECOND, ".1f"),
        verdict(
            f"at most {TARGET_CPU_MS} CPU ms per payment for Temporal and Duly's workers together",
            f"{found.cpu_ms:.1f}",
            met=found.cpu_ms <= TARGET_CPU_MS,
        ),
        at_least("of the plain loop's rate", found.ratio, TARGET_RATIO, ".2f"),
        on(found.machine),
    )


def scale(found: Scale) -> str:
    """One large run."""
    events = max(history.events_max for history in found.histories)
    growth = max(memory.growth for memory in found.memory)
    return section(
        "A large run",
        f"One run over {found.accounts:,} accounts against a gateway in the worker's own process that says yes at once:"
        f" {found.charged:,} were charged in {found.seconds:,.0f} s, {found.per_second:.1f} a second, while other"
        f" programs kept {found.foreign_cores:.2f} cores busy.",
        table(
            ("Workflow", "Executions", "Most events in one history"),
            [(history.workflow, history.executions, f"{history.events_max:,}") for history in found.histories],
        ),
        table(
            ("Memory", "First tenth, MiB", "Last tenth, MiB", "Growth"),
            [
                (memory.part, f"{memory.first_mib:.1f}", f"{memory.last_mib:.1f}", f"{memory.growth:+.1%}")
                for memory in found.memory
            ],
        ),
        verdict(f"no history above {TARGET_EVENTS:,} events", f"{events:,}", met=events <= TARGET_EVENTS),
        verdict(
            f"memory of the first and last tenth within {TARGET_GROWTH:.0%}",
            f"{growth:+.1%}",
            met=abs(growth) <= TARGET_GROWTH,
        ),
        on(found.machine),
    )


def _cpu(part: str, runs: Iterable[MeasuredRun]) -> str:
    return f"{median(run.cpu_ms[part] for run in runs):.2f}"
