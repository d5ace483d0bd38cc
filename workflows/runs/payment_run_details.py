"""The text an operator reads on a payment run: where it is, how far, what it waits for, what they can do."""

from models.moment import in_utc
from models.money import Money
from models.runs.breaker import PAUSE_MOST
from models.runs.process_run import Certificate, ItemOutcome, OutcomeTotal, ShardProgress, ShardRequest
from models.runs.run_control import RunStage, RunStatus
from workflows.markdown import aligned, listed, paragraphs
from workflows.runs.payment_run_actions import actions_at

_WITH_COLLECTIONS = frozenset({ItemOutcome.IN_DUNNING, ItemOutcome.UNKNOWN})
RECENT = 12

WAITS_FOR = {
    RunStage.FREEZING: "the database, which fixes who is in the run",
    RunStage.COLLECTING: "the remaining payments, then the certificate",
    RunStage.PAUSED: "an operator, who resumes or aborts it; payments in flight settle meanwhile",
    RunStage.HELD: (
        "the gateway, which answered nobody: nothing new is asked of it, and one payment checks from time to time,"
        f" at least every {PAUSE_MOST.seconds // 60} minutes; an operator who knows better resumes the run at once"
    ),
    RunStage.ABORTING: "the payments in flight, then the rest is released",
    RunStage.CERTIFYING: "the database, which counts every member once",
    RunStage.CLOSED: "nothing",
}


def progress_of(status: RunStatus, *, run_id: str = "", is_shadow: bool = False) -> str:
    """Return the current details of a run under way, in Markdown; codes and totals only."""
    return paragraphs(
        _heading(status),
        _pace(status),
        f"**Waits for** {status.waits_for}",
        _outcomes(status.totals),
        _amounts(status),
        _where_payments_are(run_id),
        actions_at(status.stage, run_id, is_shadow=is_shadow),
        listed("Decisions", status.decisions, recent=RECENT),
    )


def shard_progress_of(request: ShardRequest, progress: ShardProgress, *, held_because: str = "") -> str:
    """Return the current details of a shard, in Markdown."""
    held = (
        f"**Held** since {in_utc(progress.held_since)}: {held_because or 'the gateway answered nobody'}; one"
        " payment checks from time to time whether that is over"
        if progress.held_since
        else ""
    )
    charged = ", ".join(str(Money(amount, currency)) for currency, amount in sorted(progress.charged.items()))
    return paragraphs(
        f"### Shard {request.shard + 1}: {sum(progress.tally.values())} members done",
        f"This execution began after `{request.after}`" if request.after else "From the first member on",
        held,
        _outcomes(progress.tally),
        f"**Charged** {charged}" if charged else "",
        "Each bar on the timeline is a payment; earlier ones are in the executions before this one. What has to wait"
        f" goes on as a `Collection`. The run is `{request.run_id}`.",
    )


def closing_statement(certificate: Certificate) -> str:
    """Return the current details of a closed run, in Markdown."""
    waiting = sum(total.members for total in certificate.totals if total.outcome in _WITH_COLLECTIONS)
    return paragraphs(
        f"### {'completed, aborted' if certificate.is_aborted else 'completed'}: {certificate.members} members, "
        "each with one outcome",
        _supplement_of(certificate),
        _released(certificate),
        f"{waiting} of them are with collections, which go on." if waiting else "",
        _compared(certificate),
        totals_of(certificate.totals),
        _where_payments_are(certificate.run_id),
        listed("Decisions", certificate.decisions, recent=RECENT),
        f"Seal: `{certificate.sha256}`",
    )


def billing_statement(certificate: Certificate) -> str:
    """Return the current details of a closed billing run, in Markdown."""
    return paragraphs(
        f"### completed: {certificate.members} subscriptions, each with one outcome",
        _supplement_of(certificate),
        billed_of(certificate.totals),
        f"Seal: `{certificate.sha256}`",
    )


def totals_of(totals: tuple[OutcomeTotal, ...]) -> str:
    """Return a certificate's totals as aligned text."""
    rows = [
        (total.outcome, total.reason, str(total.members), str(Money(total.amount_minor, total.currency)))
        for total in totals
    ]
    return aligned([("outcome", "reason", "members", "amount"), *rows], right=frozenset({2, 3})) if rows else ""


def billed_of(totals: tuple[OutcomeTotal, ...]) -> str:
    """Return a billing certificate's totals as aligned text; of what was not billed there is the net price alone."""
    rows = [
        (
            total.outcome,
            total.reason,
            str(total.members),
            *(
                "" if amount is None else str(Money(amount, total.currency))
                for amount in (total.net_minor, total.tax_minor, total.total_minor or _billed_before(total))
            ),
        )
        for total in totals
    ]
    heads = ("outcome", "reason", "members", "net", "tax", "total")
    return aligned([heads, *rows], right=frozenset({2, 3, 4, 5})) if rows else ""


def _billed_before(total: OutcomeTotal) -> int | None:
    """Return the total that a certificate of 0.1.0 has: it does not tell net from tax."""
    return total.amount_minor if total.outcome is ItemOutcome.BILLED else None


def _supplement_of(certificate: Certificate) -> str:
    if not certificate.supplement:
        return ""
    again = sum(total.members for total in certificate.taken_again)
    taken = f" {again} of its members were passed over before, and taken again." if again else ""
    return f"Supplement {certificate.supplement} of {certificate.period}: whom the runs before it did not have.{taken}"


def _heading(status: RunStatus) -> str:
    since = f" since {in_utc(status.held_since)}" if status.held_since else ""
    if status.stage is RunStage.FREEZING:
        return f"### {status.stage.word}{since}"
    skipped = f", {status.skipped} skipped when the run was frozen" if status.skipped else ""
    return f"### {status.stage.word}{since}: {status.done} of {status.members - status.skipped} members done{skipped}"


def _pace(status: RunStatus) -> str:
    if status.stage is RunStage.FREEZING:
        return ""
    limit = f", the queue limited to {status.calls_per_second} calls a second" if status.calls_per_second else ""
    return f"{status.payments_per_minute} payments a minute{limit}{_time_left(status)}"


def _time_left(status: RunStatus) -> str:
    if not status.payments_per_minute or not status.to_do:
        return ""
    return f", about {-(-status.to_do // status.payments_per_minute)} minutes to go"


def _outcomes(totals: dict[str, int]) -> str:
    rows = [(outcome, str(count)) for outcome, count in sorted(totals.items())]
    return aligned([("outcome", "members"), *rows], right=frozenset({1})) if rows else ""


def _amounts(status: RunStatus) -> str:
    rows = [
        (str(Money(status.charged.get(currency, 0), currency)), str(Money(due, currency)))
        for currency, due in sorted(status.due.items())
    ]
    return aligned([("charged", "of"), *rows], right=frozenset({0, 1})) if rows else ""


def _where_payments_are(run_id: str) -> str:
    find = f"; `duly runs link {run_id} ACCOUNT` finds an account's" if run_id else ""
    return f"Payments are on the timelines of the shards, under Relationships{find}."


def _released(certificate: Certificate) -> str:
    released = sum(total.members for total in certificate.totals if total.outcome == ItemOutcome.RELEASED)
    return f"{released} were released: they were not charged, and the next run takes them." if released else ""


def _compared(certificate: Certificate) -> str:
    if certificate.comparison is None:
        return ""
    if not certificate.comparison.baseline_id:
        return "A shadow: nothing was charged. There is no certified run to compare it with."
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(certificate.comparison.members.items()))
    return f"A shadow: nothing was charged. Beside `{certificate.comparison.baseline_id}`: {counts or 'nobody'}."
