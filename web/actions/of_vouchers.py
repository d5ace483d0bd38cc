"""Actions on vouchers: issued with codes that are shown once, redeemed, cancelled, and booked once expired."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from commands.console.limited import AskedAction, CapturedOutput
from commands.output import Output
from commands.vouchers.vouchers import VoucherRequest, cancel, expire, issue, redeem_code
from models.console.roles import Permission
from models.vouchers.voucher import MOST_IN_BATCH, hash_of_code
from web.actions.action import Action, FormField, day_given, whole_given

if TYPE_CHECKING:
    from rich.console import RenderableType


class _IssuedOutput(CapturedOutput):
    """The answer of `issue`: its text as lines, its codes by the numbers of their vouchers."""

    def __init__(self) -> None:
        super().__init__()
        self.codes: list[tuple[str, str]] = []

    def answer(self, document: Mapping[str, Any], *view: "RenderableType", is_good: bool = True) -> None:
        self.codes = [(one["number"], one["code"]) for one in document["vouchers"]]
        super().answer(document, *(part for part in view if isinstance(part, str)), is_good=is_good)


async def _issue(output: Output, asked: AskedAction) -> None:
    """Issue a batch. Its codes are for the page alone that answers: what is kept of a form has none."""
    request = VoucherRequest(
        whole_given("count", asked["count"], 1, MOST_IN_BATCH) or 0,
        asked["amount"],
        asked["type"],
        asked["account"],
        asked["currency"],
        day_given("expires_on", asked["expires_on"]),
        None,
    )
    private = _IssuedOutput()
    await issue(private, request, id=f"console:{asked.key}", actor=asked.actor, reason=asked.reason)
    for line in private.lines:
        output.note(line)
    if isinstance(output, CapturedOutput):
        output.shown_once = private.codes


async def _redeem(output: Output, asked: AskedAction) -> None:
    # The code goes no further than this: neither a form nor a command that is kept has it.
    await redeem_code(
        output,
        asked.id,
        hash_of_code(asked["code"]),
        id=f"console:{asked.key}",
        actor=asked.actor,
        reason=asked.reason,
    )


async def _cancel(output: Output, asked: AskedAction) -> None:
    await cancel(output, asked.id, id=f"console:{asked.key}", actor=asked.actor, reason=asked.reason)


async def _expire(output: Output, _asked: AskedAction) -> None:
    await expire(output)


ACTIONS = (
    Action(
        *("vouchers", "issue", "Issue vouchers", "vouchers issue", Permission.CORRECT),
        "Vouchers of one type are issued as a batch: sold to the account that is named, and invoiced, or given away.",
        _issue,
        (
            FormField("type", "Type", "select", "voucher_types", is_required=True),
            FormField("count", "How many", "number", is_required=True, help="1 to 10000."),
            FormField("amount", "Each is worth", is_required=True, help="In major units, such as 25.00."),
            FormField("account", "Account that buys them", help="Of a type that is sold; it is invoiced."),
            FormField("currency", "Currency", help="Of vouchers that are given away; else the account's."),
            FormField("expires_on", "Last day", "date", help="Else as the type says."),
        ),
        is_of_list=True,
        final="The codes are shown once, on the next page, and kept nowhere.",
    ),
    Action(
        *("vouchers", "expire", "Book what has expired", "vouchers expire", Permission.CORRECT),
        "Vouchers whose last day is over everywhere become income now, as is done every night.",
        _expire,
        is_of_list=True,
    ),
    Action(
        *("vouchers", "cancel", "Cancel", "vouchers cancel", Permission.CORRECT),
        "The voucher, or all of a batch that are out, are worth nothing any more. Who has bought them is credited.",
        _cancel,
        states=frozenset({"issued"}),
        final="A cancelled voucher stays cancelled, and who has bought it is credited.",
    ),
    Action(
        *("accounts", "redeem", "Redeem a voucher", "vouchers redeem", Permission.COLLECT),
        "The account is paid what the voucher is worth: what it owes is settled, and the rest is its credit.",
        _redeem,
        (FormField("code", "Code", is_required=True, help="Small letters, blanks and dashes do not count."),),
        states=frozenset({"active", "suspended"}),
    ),
)
