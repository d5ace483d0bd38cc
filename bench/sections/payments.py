"""Payments: under a cap, and without one."""

from collections.abc import Iterable
from statistics import median

from bench.figures.paced import TARGET_AFTER_OUTAGE_SECONDS, Pace, Paced, PacedRun
from bench.figures.paced import TARGET_EVENTS as TARGET_EVENTS_PER_PAYMENT
from bench.figures.throughput import TARGET_CPU_MS, TARGET_PER_SECOND, TARGET_RATIO, Throughput
from bench.measured_run import MeasuredRun
from bench.page import at_least, on, section, table, verdict


def paced(found: Paced) -> str:
    """Payments against a gateway's cap."""
    lost = sum(run.not_known for run in found.runs)
    doubled = sum(run.doubled for run in found.runs)
    events = max(run.measured.events_per_payment for run in found.runs if not run.pace.slots)
    return section(
        "Under a gateway's cap",
        "The sandbox refuses what exceeds the cap on one endpoint with a 429. Its answers come at once, or as late as a"
        " lognormal latency draws, and some never before the client gives up, though the charge was made. The rate is"
        " that of the middle eight tenths of the payments, while members are left to be asked. The run ends with the"
        " last answer; what it left to collections, which look every two seconds here, is known later. Where Duly is"
        " set faster than the cap, refusals are part of the test. Workers with so few slots that one cannot reach the"
        " cap show what another one adds. Events are those of the shards' whole histories, for each payment. A payment"
        " costs some 20 ms of CPU: where other programs left less than the cap needs, the machine was the limit.",
        table(
            (
                "Cap",
                "Set to",
                "Answers",
                "Gateway workers",
                "Payments",
                "Payments/s",
                "Of the cap",
                "Run, s",
                "Last known, s",
                "429s",
                "More requests",
                "Events",
                "Other cores",
            ),
            map(_paced_row, found.runs),
        ),
        *(_paced_verdict(run) for run in found.runs if not run.pace.slots),
        verdict("every payment known in the end", f"{lost} are not", met=lost == 0),
        verdict("none charged twice", f"{doubled}", met=doubled == 0),
        verdict(
            f"at most {TARGET_EVENTS_PER_PAYMENT} history events per payment",
            f"{events:.2f} at the most",
            met=events <= TARGET_EVENTS_PER_PAYMENT,
        ),
        on(found.machine),
    )


def _paced_verdict(run: PacedRun) -> str:
    if run.pace.outage_seconds:
        return verdict(
            f"an outage of {run.pace.outage_seconds:g} s costs at most {TARGET_AFTER_OUTAGE_SECONDS:g} s more",
            f"{run.seconds_after_outage:.0f} s",
            met=run.seconds_after_outage <= TARGET_AFTER_OUTAGE_SECONDS,
        )
    return verdict(
        f"at least {run.pace.target:.0%} of {_pace(run.pace)}",
        f"{run.share_of_cap:.1%}",
        met=run.share_of_cap >= run.pace.target,
    )


def _paced_row(run: PacedRun) -> tuple[object, ...]:
    return (
        f"{run.pace.cap:g}/s",
        f"{run.pace.rate:g}/s",
        _answers(run.pace),
        f"{run.pace.gateway_workers} of {run.pace.slots} slots" if run.pace.slots else run.pace.gateway_workers,
        run.measured.payments,
        f"{run.measured.plateau_per_second:.2f}",
        f"{run.share_of_cap:.1%}",
        f"{run.measured.seconds:.0f}",
        f"{run.known_seconds:.0f}",
        run.measured.refused_busy,
        run.measured.gateway_requests - run.measured.payments,
        f"{run.measured.events_per_payment:.2f}",
        f"{run.measured.foreign_cores:.2f}",
    )


def _pace(pace: Pace) -> str:
    rate = f"{pace.cap:g}/s" if pace.rate == pace.cap else f"{pace.cap:g}/s, set to {pace.rate:g}/s"
    workers = f", {pace.gateway_workers} gateway workers" if pace.gateway_workers > 1 else ""
    return f"{rate}, {_answers(pace)}{workers}"


def _answers(pace: Pace) -> str:
    answers = pace.answers
    if not answers.median_seconds:
        return "at once"
    parts = [f"median {answers.median_seconds:g} s", f"99th percentile {answers.percentile_99_seconds:g} s"]
    if answers.unanswered:
        parts.append(f"{answers.unanswered:.1%} never")
    if pace.outage_seconds:
        parts.append(f"none for {pace.outage_seconds:g} s")
    return ", ".join(parts)


FLOOR = (
    "Where the floor is: a payment is two commits of some twenty rows (the draft, the request, the attempt and "
    "the claim on its invoices before the call; after it the outcome, the posting with its transfer, open item, "
    "allocation and number, the gateway's fee with its transfer, the run's member and the receipt), one HTTPS "
    "request, and three events of Temporal (scheduled, started, completed) with a share of a workflow's task, "
    "which takes in the answers of a fifth of a second. The plain loop has the commits and the request as well. "
    "What Temporal adds cannot fall below the server's two writes and the SDK's two messages for each activity; "
    "only several payments in one activity could, and then none would be seen, retried or paced by itself "
    "(decisions 0010 and 0017)."
)


def throughput(found: Throughput) -> str:
    """Payments a second, and what each costs."""
    by_temporal, by_loop = [pair.temporal for pair in found.pairs], [pair.plain for pair in found.pairs]
    return section(
        "Throughput and cost",
        f"{found.accounts:,} accounts are collected from without any limit, in turn by a plain loop over the `collect`"
        " activity in one process, with four payments in flight for each of its database connections, and by a payment"
        " run through Temporal.",
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
        FLOOR,
        at_least("payments/s", found.per_second, TARGET_PER_SECOND, ".1f"),
        verdict(
            f"at most {TARGET_CPU_MS} CPU ms per payment for Temporal and Duly's workers together",
            f"{found.cpu_ms:.1f}",
            met=found.cpu_ms <= TARGET_CPU_MS,
        ),
        at_least("of the plain loop's rate", found.ratio, TARGET_RATIO, ".2f"),
        on(found.machine),
    )


def _cpu(part: str, runs: Iterable[MeasuredRun]) -> str:
    return f"{median(run.cpu_ms[part] for run in runs):.2f}"
