"""Writes docs/performance.md from the kept results, so that no figure in it is written by hand."""

from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median

from bench.certainty import Certainties
from bench.leg import Leg
from bench.machine import Machine
from bench.paced import TARGET_EVENTS as TARGET_EVENTS_PER_PAYMENT
from bench.paced import TARGET_SHARE, Paced
from bench.results import FOLDER, kept
from bench.sandbox import TARGET_CHARGES, SandboxSpeed
from bench.scale import TARGET_EVENTS, TARGET_GROWTH, Scale
from bench.throughput import TARGET_CPU_MS, TARGET_PER_SECOND, TARGET_RATIO, Throughput
from bench.webhook import TARGET_MS, Answers

DOCUMENT = Path(__file__).parent.parent / "docs" / "performance.md"

_INTRODUCTION = """\
# Performance

Measured by `make bench` on one machine that runs everything: PostgreSQL with fsync on, the Temporal development server
on a database file, the Stripe sandbox, one worker for workflows and one for gateway calls. This page is written from
`bench/results/` by `.venv/bin/python -m bench document`; a test compares the two. What else the machine does slows all
of it down and makes each payment dearer, so each run says how many cores other programs kept busy meanwhile.
"""


def document(folder: Path = FOLDER) -> str:
    """Return the whole page."""
    sections = (section_of(name, folder) for name in SECTIONS)
    return "\n".join((_INTRODUCTION, *(section for section in sections if section)))


def section_of(name: str, folder: Path = FOLDER) -> str:
    """Return what the page says about one figure; nothing when it has not been measured."""
    return SECTIONS[name](folder)


def _paced(folder: Path) -> str:
    found = kept("paced", Paced, folder)
    if found is None:
        return ""
    rows = [
        (
            f"{run.pace.cap:g}/s",
            f"{run.pace.rate:g}/s",
            run.leg.payments,
            f"{run.leg.steady_per_second:.2f}",
            f"{run.share_of_cap:.1%}",
            run.leg.refused_busy,
            run.leg.not_charged,
            f"{run.leg.events_per_payment:.2f}",
            f"{run.leg.foreign_cores:.2f}",
        )
        for run in found.runs
    ]
    share = min(run.share_of_cap for run in found.runs)
    lost = sum(run.leg.not_charged for run in found.runs)
    events = max(run.leg.events_per_payment for run in found.runs)
    return _section(
        "Under a gateway's cap",
        "The sandbox refuses what exceeds the cap on one endpoint with a 429. The steady rate leaves out the first and"
        " the last tenth of a run. Where Duly is set faster than the cap, refusals are part of the test. Events are"
        " those of the shards' whole histories, for each payment.",
        _table(
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
        _verdict(f"at least {TARGET_SHARE:.0%} of the cap", f"{share:.1%} at the least", met=share >= TARGET_SHARE),
        _verdict("every 429 absorbed", f"{lost} payments not charged", met=lost == 0),
        _verdict(
            f"at most {TARGET_EVENTS_PER_PAYMENT} history events per payment",
            f"{events:.2f} at the most",
            met=events <= TARGET_EVENTS_PER_PAYMENT,
        ),
        _on(found.machine),
    )


def _throughput(folder: Path) -> str:
    found = kept("throughput", Throughput, folder)
    if found is None:
        return ""
    by_temporal, by_loop = [pair.temporal for pair in found.pairs], [pair.plain for pair in found.pairs]
    return _section(
        "Throughput and cost",
        f"{found.accounts:,} accounts are collected from without any limit, in turn by a plain loop over the `collect`"
        " activity in one process and by a payment run through Temporal, with the same number of payments in flight.",
        _table(
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
        _table(
            ("Process", "Temporal", "Plain loop"),
            [(part, _cpu(part, by_temporal), _cpu(part, by_loop)) for part in by_temporal[0].cpu_ms],
        ),
        _at_least("payments/s", found.per_second, TARGET_PER_SECOND, ".1f"),
        _verdict(
            f"at most {TARGET_CPU_MS} CPU ms per payment for Temporal and Duly's workers together",
            f"{found.cpu_ms:.1f}",
            met=found.cpu_ms <= TARGET_CPU_MS,
        ),
        _at_least("of the plain loop's rate", found.ratio, TARGET_RATIO, ".2f"),
        _on(found.machine),
    )


def _scale(folder: Path) -> str:
    found = kept("scale", Scale, folder)
    if found is None:
        return ""
    events = max(history.events_max for history in found.histories)
    growth = max(memory.growth for memory in found.memory)
    return _section(
        "A large run",
        f"One run over {found.accounts:,} accounts against a gateway in the worker's own process that says yes at once:"
        f" {found.charged:,} were charged in {found.seconds:,.0f} s, {found.per_second:.1f} a second, while other"
        f" programs kept {found.foreign_cores:.2f} cores busy.",
        _table(
            ("Workflow", "Executions", "Most events in one history"),
            [(history.workflow, history.executions, f"{history.events_max:,}") for history in found.histories],
        ),
        _table(
            ("Memory", "First tenth, MiB", "Last tenth, MiB", "Growth"),
            [
                (memory.part, f"{memory.first_mib:.1f}", f"{memory.last_mib:.1f}", f"{memory.growth:+.1%}")
                for memory in found.memory
            ],
        ),
        _verdict(f"no history above {TARGET_EVENTS:,} events", f"{events:,}", met=events <= TARGET_EVENTS),
        _verdict(
            f"memory of the first and last tenth within {TARGET_GROWTH:.0%}",
            f"{growth:+.1%}",
            met=abs(growth) <= TARGET_GROWTH,
        ),
        _on(found.machine),
    )


def _sandbox(folder: Path) -> str:
    found = kept("sandbox", SandboxSpeed, folder)
    if found is None:
        return ""
    speed = found.measured
    return _section(
        "The Stripe sandbox",
        f"Pinned to one core it answered {speed.charges:,} charges in {speed.seconds:.1f} s, at"
        f" {speed.server_cpu_ms_per_charge:.2f} CPU ms each.",
        _at_least("charges/s on one core", speed.per_second, TARGET_CHARGES, ".0f"),
        _on(found.machine),
    )


def _webhook(folder: Path) -> str:
    found = kept("webhook", Answers, folder)
    if found is None:
        return ""
    return _section(
        "Receiving events",
        f"{found.sent:,} signed events were sent at {found.per_second} a second to one `webhook.py`, whether or not the"
        f" one before was answered; {found.stored:,} were stored. Nobody knows what they are about, which makes each of"
        " them wait for delivery and be put off, beside the answers.",
        _table(
            ("Accepted", "Median, ms", "99th percentile, ms", "Slowest, ms", f"Within {TARGET_MS:g} ms"),
            [(found.accepted, found.median_ms, found.p99_ms, found.max_ms, f"{found.within_target:.2%}")],
        ),
        _verdict(
            f"{found.per_second} events/s answered within {TARGET_MS:g} ms",
            f"{found.p99_ms:g} ms at the 99th percentile, {found.max_ms:g} ms at the most",
            met=found.max_ms <= TARGET_MS and found.accepted == found.stored == found.sent,
        ),
        _on(found.machine),
    )


def _certainty(folder: Path) -> str:
    found = kept("certainty", Certainties, folder)
    if found is None:
        return ""
    unresolved = sum(kind.unresolved for kind in found.kinds)
    double = sum(kind.double_charges for kind in found.kinds)
    return _section(
        "Time to certainty",
        f"{found.accounts} accounts are collected from once for each kind of fault, which strikes every other charge"
        f" request; the client waits {found.gateway_timeout_seconds:g} s for an answer. The time runs from the row"
        " before the call to the recorded outcome, for every attempt that its first answer did not settle, under the"
        " policy that comes with Duly.",
        _table(
            ("Fault", "Attempts left unknown", "Median, s", "99th percentile, s", "Still unknown", "Double charges"),
            [
                (
                    kind.kind,
                    kind.attempts,
                    f"{kind.median_seconds:.2f}",
                    f"{kind.p99_seconds:.2f}",
                    kind.unresolved,
                    kind.double_charges,
                )
                for kind in found.kinds
            ],
        ),
        _verdict("no outcome left unknown", str(unresolved), met=unresolved == 0),
        _verdict("no double charge", str(double), met=double == 0),
        _on(found.machine),
    )


def _cpu(part: str, legs: Iterable[Leg]) -> str:
    return f"{median(leg.cpu_ms[part] for leg in legs):.2f}"


def _at_least(what: str, figure: float, target: float, form: str) -> str:
    return _verdict(f"{target:g} {what}", format(figure, form), met=figure >= target)


def _verdict(target: str, figure: str, *, met: bool) -> str:
    return f"- Target: {target}. Measured: {figure}. {'Met.' if met else '**Fell short.**'}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def _on(machine: Machine) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    return (
        f"Measured on {machine.measured_on}: {machine.cores} cores of {machine.processor}, {machine.memory_gib} GiB,"
        f" {machine.system}; {versions}."
    )


def _section(title: str, *blocks: str) -> str:
    text = f"## {title}\n"
    for before, block in zip(("", *blocks), blocks, strict=False):
        # The items of one list stand together.
        gap = "" if before.startswith("- ") and block.startswith("- ") else "\n"
        text += f"{gap}{block}\n"
    return text


# One for each file of bench/results/, in the order of the page.
SECTIONS: dict[str, Callable[[Path], str]] = {
    "paced": _paced,
    "throughput": _throughput,
    "scale": _scale,
    "certainty": _certainty,
    "webhook": _webhook,
    "sandbox": _sandbox,
}
