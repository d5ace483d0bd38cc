"""Releasing what a rule holds, from the workflow that waits for it: the update of collections and payment requests."""

from temporalio import workflow

from activities.payments.hold_activities import HoldActivities
from models.money import Money
from models.payments.hold import HeldReceivable, HoldRelease, ReleasedHold
from workflows.options import DATABASE
from workflows.updates import surfacing_refusal
from workflows.waiting import Waiter


async def release_held(waiter: Waiter, account_id: str, period: str, command: HoldRelease) -> str:
    """Release it, as `fraud release` does, and note it; return what was released."""
    with surfacing_refusal():
        released: ReleasedHold = await workflow.execute_activity_method(
            HoldActivities.release_hold,
            HeldReceivable(account_id, period, command.actor, command.reason, command.amount_minor),
            summary="release what a rule holds",
            **DATABASE,
        )
    amount = Money(released.amount_minor, released.currency)
    if released.over_because:
        what = f"nothing of {amount} was held any more: {released.over_because}"
    else:
        before = " before" if released.was_so else ""
        what = f"{amount} released{before}, which rule {released.rule} held"
    waiter.note(f"{what}, says {command.actor}: {command.reason}")
    return what
