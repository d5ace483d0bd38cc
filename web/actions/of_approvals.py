"""What another person decides about: approved and carried out, rejected; or withdrawn by who has asked."""

from commands.console.approvals import approve, reject, withdraw
from commands.console.limited import AskedAction
from commands.output import Output
from models.console.roles import Permission
from web.actions.action import Action


async def _approve(output: Output, asked: AskedAction) -> None:
    await approve(output, asked.id, actor=asked.actor, reason=asked.reason)


async def _reject(output: Output, asked: AskedAction) -> None:
    await reject(output, asked.id, actor=asked.actor, reason=asked.reason)


async def _withdraw(output: Output, asked: AskedAction) -> None:
    await withdraw(output, asked.id, actor=asked.actor, reason=asked.reason)


_WAITING = frozenset({"waiting"})
DECISIONS = (
    Action(
        *("approvals", "approve", "Approve", "approvals approve", Permission.APPROVE),
        "What was asked for is carried out now, in the name of who has asked; both names are kept.",
        _approve,
        # One that was approved and whose outcome nobody knows is approved again.
        states=_WAITING | {"approved"},
        final="What was asked for is carried out.",
    ),
    Action(
        *("approvals", "reject", "Reject", "approvals reject", Permission.APPROVE),
        "Nothing of it is carried out; it may be asked for again.",
        _reject,
        states=_WAITING,
    ),
)
WITHDRAW = Action(
    *("approvals", "withdraw", "Withdraw", "approvals withdraw", Permission.REFUND),
    "It is asked for no more.",
    _withdraw,
    states=_WAITING,
)
ACTIONS = (*DECISIONS, WITHDRAW)
