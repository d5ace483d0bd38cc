"""The text an operator reads on a payment run: where it is, how far, what it waits for, what was decided."""

from models.breaker import PAUSES
from models.money import Money
from models.process_run import Certificate, ItemOutcome
from models.run_control import RunStage, RunStatus

_WITH_COLLECTIONS = frozenset({ItemOutcome.IN_DUNNING, ItemOutcome.UNKNOWN})
RECENT = 12

WAITS_FOR = {
    RunStage.FREEZING: "the database, which fixes who is in the run",
    RunStage.COLLECTING: "the remaining payments, then the certificate",
    RunStage.PAUSED: "an operator, who resumes or aborts it; payments in flight settle meanwhile",
    RunStage.HELD: (
        "the gateway, which answered nobody: nothing new is asked of it, and one payment looks from time to time,"
        f" at least every {PAUSES[-1].seconds // 60} minutes; an operator who knows better resumes the run at once"
    ),
    RunStage.ABORTING: "the payments in flight, then the rest is released",
    RunStage.CERTIFYING: "the database, which counts every member once",
    RunStage.CLOSED: "nothing",
}


def progress_of(status: RunStatus) -> str:
    """Return the current details of a run under way, in Markdown; codes and totals only."""
    since = f" since {status.held_since:%Y-%m-%d %H:%M}Z" if status.held_since else ""
    limit = f", the queue limited to {status.calls_per_second} calls a second" if status.calls_per_second else ""
    outcomes = "\n".join(f"| {outcome} | {count} |" for outcome, count in sorted(status.totals.items()))
    amounts = "\n".join(
        f"| {Money(status.charged.get(currency, 0), currency)} | {Money(due, currency)} |"
        for currency, due in sorted(status.due.items())
    )
    return (
        f"**{status.stage}**{since}: **{status.done} of {status.members - status.skipped}** members done, "
        f"{status.skipped} skipped when the run was frozen\n\n"
        f"{status.payments_per_minute} payments a minute{limit}{_time_left(status)}\n\n"
        f"**Waits for** {status.waits_for}\n\n"
        f"| outcome | members |\n|---|---|\n{outcomes}\n\n| charged | of |\n|---|---|\n{amounts}"
        f"{_decisions(status.decisions)}"
    )


def closing_statement(certificate: Certificate) -> str:
    """Return the current details of a closed run, in Markdown."""
    rows = "\n".join(
        f"| {total.outcome} | {total.reason} | {total.members} | {Money(total.amount_minor, total.currency)} |"
        for total in certificate.totals
    )
    waiting = sum(total.members for total in certificate.totals if total.outcome in _WITH_COLLECTIONS)
    goes_on = f"\n\n{waiting} of them are with collections, which go on." if waiting else ""
    return (
        f"**{'Aborted and closed' if certificate.is_aborted else 'Closed'}.** {certificate.members} members, "
        f"each with one outcome.{_released(certificate)}{goes_on}{_compared(certificate)}\n\n"
        f"| outcome | reason | members | amount |\n|---|---|---|---|\n{rows}"
        f"{_decisions(certificate.decisions)}\n\nSeal: `{certificate.sha256}`"
    )


def _time_left(status: RunStatus) -> str:
    if not status.payments_per_minute or not status.to_do:
        return ""
    return f", about {-(-status.to_do // status.payments_per_minute)} minutes to go"


def _decisions(decisions: tuple[str, ...]) -> str:
    if not decisions:
        return ""
    return "\n\n**Decisions**\n" + "\n".join(f"- {decision}" for decision in decisions[-RECENT:])


def _released(certificate: Certificate) -> str:
    released = sum(total.members for total in certificate.totals if total.outcome == ItemOutcome.RELEASED)
    return f" {released} were released: they were not charged, and the next run takes them." if released else ""


def _compared(certificate: Certificate) -> str:
    if certificate.comparison is None:
        return ""
    if not certificate.comparison.baseline_id:
        return "\n\nA shadow: nothing was charged. There is no certified run to compare it with."
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(certificate.comparison.members.items()))
    return f"\n\nA shadow: nothing was charged. Beside `{certificate.comparison.baseline_id}`: {counts or 'nobody'}."
