"""What the gateway says, late or never: events, unknown outcomes, cards asleep; and the sandbox that plays it."""

from bench.figures.cards import TARGET_GROWTH, TARGET_MIB, TARGET_START_MS, SleepingCards
from bench.figures.certainty import Certainties
from bench.figures.reconcile import TARGET_EVENTS, TARGET_SECONDS, ReconciledDay
from bench.figures.reconcile import TARGET_GROWTH as TARGET_MEMORY_GROWTH
from bench.figures.sandbox import TARGET_CHARGES, SandboxSpeed
from bench.figures.supervise import TARGET_GROWTH as TARGET_SUPERVISING
from bench.figures.supervise import TARGET_PER_SECOND, ObjectsChecked, SupervisedObjects
from bench.figures.webhook import TARGET_MS, Answers
from bench.page import at_least, on, section, table, verdict
from bench.process_costs import BENCH, POSTGRESQL, TEMPORAL


def webhook(found: Answers) -> str:
    """How soon events are answered."""
    return section(
        "Receiving events",
        f"{found.sent:,} signed events were sent at {found.per_second} a second to one `webhook.py`, whether or not the"
        f" one before was answered; {found.stored:,} were stored. Nobody knows what they are about, which makes each of"
        " them wait for delivery and be put off, beside the answers.",
        table(
            ("Accepted", "Median, ms", "99th percentile, ms", "Slowest, ms", f"Within {TARGET_MS:g} ms"),
            [(found.accepted, found.median_ms, found.p99_ms, found.max_ms, f"{found.within_target:.2%}")],
        ),
        verdict(
            f"{found.per_second} events/s answered within {TARGET_MS:g} ms",
            f"{found.p99_ms:g} ms at the 99th percentile, {found.max_ms:g} ms at the most",
            met=found.max_ms <= TARGET_MS and found.accepted == found.stored == found.sent,
        ),
        on(found.machine),
    )


def certainty(found: Certainties) -> str:
    """How long an outcome stays unknown."""
    unresolved = sum(kind.unresolved for kind in found.kinds)
    double = sum(kind.double_charges for kind in found.kinds)
    return section(
        "Time to certainty",
        f"{found.accounts} accounts are collected from once for each kind of fault, which every other"
        f" charge request meets; the client waits {found.gateway_timeout_seconds:g} s for an answer. The time"
        " runs from the row before the call to the recorded outcome, for every attempt that its first answer did not"
        " settle, under the policy that comes with Duly.",
        table(
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
        verdict("no outcome left unknown", str(unresolved), met=unresolved == 0),
        verdict("no double charge", str(double), met=double == 0),
        on(found.machine),
    )


def reconcile(found: ReconciledDay) -> str:
    """How long a day takes to be reconciled."""
    growth = max(part.growth for part in found.memory)
    return section(
        "Reconciling a day",
        f"{found.movements:,} charges lie at the gateway, all but {found.foreign} booked in the ledger. One round of"
        f" `Reconciliation` lists and stores every movement, matches it, looks once more at what is left, and certifies"
        f" the day; {found.matched:,} were matched and {found.found} listed. Asked for again it took"
        f" {found.again_seconds:g} s. The gateway is read at 25 pages a second at most, of a hundred movements each."
        f" Other programs kept {found.foreign_cores:g} cores busy meanwhile.",
        table(
            ("Part", "Memory in the first tenth, MiB", "In the last, MiB", "Growth"),
            [(part.part, part.first_mib, part.last_mib, f"{part.growth:+.1%}") for part in found.memory],
        ),
        verdict(
            f"{found.movements:,} movements within {TARGET_SECONDS:g} s",
            f"{found.seconds:g} s",
            met=found.seconds <= TARGET_SECONDS,
        ),
        verdict(f"a history of fewer than {TARGET_EVENTS} events", str(found.events), met=found.events < TARGET_EVENTS),
        verdict(
            f"the workers' memory within {TARGET_MEMORY_GROWTH:.0%}",
            f"{growth:+.1%}",
            met=growth <= TARGET_MEMORY_GROWTH,
        ),
        verdict(
            f"exactly the {found.foreign} that nobody had booked are listed",
            str(found.found),
            met=found.found == found.foreign and found.matched == found.movements - found.foreign,
        ),
        on(found.machine),
    )


def supervise(found: SupervisedObjects) -> str:
    """How long open objects take to be compared with their workflows."""
    compared = 1_000_000 / found.at_work.per_second / 60
    started = 1_000_000 * found.lost.cpu_ms[TEMPORAL] / 1000 / found.machine.cores / 60
    return section(
        "Comparing what is open with its workflows",
        f"{found.objects:,} collections are open, and Temporal knows none of them: each is looked for, noted as missing"
        " and started from its row. Then all of them are compared once more, as every 15 minutes. At that rate a"
        f" million are compared in {compared:.1f} minutes. Resuming takes as long as the server needs to start"
        f" workflows: at {found.lost.cpu_ms[TEMPORAL]:g} CPU ms each a million keep these {found.machine.cores} cores"
        f" busy for {started:,.0f} minutes, on a development server that writes to one file. No worker runs beside it.",
        table(
            (
                "",
                "Open",
                "At work",
                "Resumed",
                "Seconds",
                "A second",
                "Temporal, CPU ms",
                "PostgreSQL",
                "Supervisor",
                "Cores that others used",
            ),
            [
                (
                    name,
                    f"{one.open:,}",
                    f"{one.running:,}",
                    f"{one.resumed:,}",
                    one.seconds,
                    f"{one.per_second:,.0f}",
                    *(f"{one.cpu_ms[part]:g}" for part in (TEMPORAL, POSTGRESQL, BENCH)),
                    f"{one.foreign_cores:g}",
                )
                for name, one in (("All lost", found.lost), ("All at work", found.at_work))
            ],
        ),
        at_least("objects/s compared", found.at_work.per_second, TARGET_PER_SECOND, ",.0f"),
        verdict(
            "every one that was lost resumed, once",
            f"{found.lost.resumed:,}, then {found.at_work.resumed:,}",
            met=found.lost.resumed == found.objects and found.at_work.running == found.objects,
        ),
        at_least("objects/s resumed", found.lost.per_second, TARGET_PER_SECOND, ",.0f"),
        verdict(
            f"memory within {TARGET_SUPERVISING:.0%}", f"{found.growth:+.1%}", met=found.growth <= TARGET_SUPERVISING
        ),
        on(found.machine),
    )


def supervise_check(found: ObjectsChecked) -> str:
    """How long many open objects without a workflow take to be found."""
    checked = found.checked
    each = sum(checked.cpu_ms[part] for part in (TEMPORAL, POSTGRESQL, BENCH))
    busy = 1_000_000 * each / 1000 / found.machine.cores / 60
    return section(
        "Finding what has no workflow among many",
        f"{found.objects:,} collections are open, and Temporal knows none of them: `doctor --workflows` asks for each"
        " by itself, the dearest that a comparison can be, and changes nothing. At that rate a million take"
        f" {1_000_000 / checked.per_second / 60:.0f} minutes; at {each:.2f} CPU ms each they keep these"
        f" {found.machine.cores} cores busy for {busy:.0f}. Those at work are asked for a thousand at a time.",
        table(
            (
                "Open", "Seconds", "A second", "Longest statement, ms", "Memory, MiB", "Temporal, CPU ms", "PostgreSQL",
                "Supervisor", "Cores that others used",
            ),
            [
                (
                    f"{checked.open:,}",
                    checked.seconds,
                    f"{checked.per_second:,.0f}",
                    found.longest_statement_ms,
                    found.last_mib,
                    *(f"{checked.cpu_ms[part]:g}" for part in (TEMPORAL, POSTGRESQL, BENCH)),
                    f"{checked.foreign_cores:g}",
                )
            ],
        ),
        verdict(
            f"memory within {TARGET_SUPERVISING:.0%}", f"{found.growth:+.1%}", met=found.growth <= TARGET_SUPERVISING
        ),
        on(found.machine),
    )  # fmt: skip


def sandbox(found: SandboxSpeed) -> str:
    """How fast the sandbox is."""
    speed = found.measured
    return section(
        "The Stripe sandbox",
        f"Pinned to one core it answered {speed.charges:,} charges in {speed.seconds:.1f} s, at"
        f" {speed.server_cpu_ms_per_charge:.2f} CPU ms each.",
        at_least("charges/s on one core", speed.per_second, TARGET_CHARGES, ".0f"),
        on(found.machine),
    )


def cards(found: SleepingCards) -> str:
    """What sleeping cards cost."""
    return section(
        "Cards asleep",
        "The workflows of ever more cards are started as `cards adopt` does it, against one worker for workflows, and"
        f" left alone. All of them slept {found.seconds:,.0f} s after the first was started. Then {found.woken},"
        " spread over all, were asked for their card, most of them from their history:"
        f" the worker held {found.mib_after_waking:.1f} MiB afterwards.",
        table(
            ("Cards", "Worker's memory, MiB", "Worker's CPU while nothing happens, cores"),
            [(f"{step.cards:,}", f"{step.worker_mib:.1f}", f"{step.worker_cores:.3f}") for step in found.steps],
        ),
        f"CPU milliseconds of a start: {_parts(found.start_ms)}."
        f" Other programs kept {found.foreign_cores:.2f} cores busy meanwhile.",
        verdict(
            f"at most {TARGET_MIB} MiB of the worker's memory with {found.steps[-1].cards:,} cards",
            f"{found.mib_max:.1f}",
            met=found.mib_max <= TARGET_MIB,
        ),
        verdict(
            f"at most {TARGET_START_MS:g} CPU ms to start one, of Temporal and the worker together",
            f"{found.start_ms_of_both:.1f}",
            met=found.start_ms_of_both <= TARGET_START_MS,
        ),
        verdict(
            f"memory with {found.steps[-1].cards:,} cards within {TARGET_GROWTH:.0%} of that with"
            f" {found.steps[0].cards:,}",
            f"{found.growth:+.1%}; {found.events_max} events in the longest history",
            met=found.growth <= TARGET_GROWTH,
        ),
        on(found.machine),
    )


def _parts(used: dict[str, float]) -> str:
    return ", ".join(f"{part} {milliseconds:.1f}" for part, milliseconds in used.items() if milliseconds)
