"""Actions on discrepancies: a person's end of one, and of the payout that one is about."""

from collections.abc import Mapping

from activities.database import Database
from activities.reconciliation.queries import ReconciliationQueries
from commands.console.limited import AskedAction
from commands.output import Output
from commands.reconciliation.payouts import EndOfPayout
from commands.reconciliation.payouts import end as end_payout
from commands.reconciliation.reconciliation import resolve
from models.console.roles import Permission
from models.problem import refusal
from models.reconciliation.discrepancy import DiscrepancyResolution
from web.actions.action import Action, FormField, day_given


async def _resolve(output: Output, asked: AskedAction) -> None:
    try:
        how = DiscrepancyResolution(asked["as"])
    except ValueError as error:
        raise refusal("as", "resolution_known", "must be explained or booked") from error
    await resolve(output, asked.id, how, account_id=asked["account"], actor=asked.actor, reason=asked.reason)


async def _end_payout(output: Output, asked: AskedAction) -> None:
    ended = EndOfPayout(asked["payout"], tuple(asked["payments"].split()), asked["fee"], day_given("on", asked["on"]))
    await end_payout(output, ended, actor=asked.actor, reason=asked.reason)


async def _as_late(database: Database, id: str) -> Mapping[str, str]:
    """Return the payout that a discrepancy is about."""
    found = await ReconciliationQueries(database).discrepancy(id)
    return {"payout": found.object} if found else {}


ACTIONS = (
    Action(
        *("discrepancies", "resolve", "Resolve", "reconcile resolve", Permission.DECIDE),
        "End it by decision. One that gateway and ledger agree on by now ends by itself.",
        _resolve,
        (
            FormField(
                "as",
                "As",
                "select",
                words=(
                    ("explained", "explained: nothing is booked"),
                    ("booked", "booked: a payment of no customer of ours"),
                ),
                is_required=True,
            ),
            FormField("account", "Account", help="With booked, whose it is; to suspense unless given."),
        ),
        frozenset({"open"}),
        "The discrepancy is ended, and not found again.",
    ),
    Action(
        *("discrepancies", "payout", "Lines of the bank", "reconcile payout", Permission.DECIDE),
        "End a payout that the bank shows in several lines, or less a fee, or of which it was debited so.",
        _end_payout,
        (
            FormField("payout", "Payout", is_required=True),
            FormField("payments", "Payments in suspense", help="That brought it, blanks between; none of a debit."),
            FormField("fee", "Fee of the bank", help="What the bank has kept of it, such as 0.50."),
            FormField("on", "Day", "date", help="Of the bank's line; of payments, the last one's."),
        ),
        frozenset({"open"}),
        "The payout is over, and its lines are in suspense no more.",
        begin=_as_late,
    ),
)
