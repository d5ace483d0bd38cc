"""A customer's wallet: what is in it and how it came there, automatic top-ups, and vouchers that are redeemed."""

import secrets
from typing import Any

from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from activities.database import HELD_RULE
from activities.wallets.wallets import Wallets
from commands.output import ExitCode, Failure, Output
from commands.vouchers.vouchers import redeem_code
from commands.wallets.wallets import choose_top_up
from models.card_number import holds_card_number
from models.vouchers.voucher import hash_of_code
from web.portal.acting import ACTOR, WHY, carried_out, is_unknown, key_of, unknown
from web.portal.context import PortalVisit
from web.portal.limits import CHANGES, CODES
from web.security import text_of

_SHOWN = 25
_CODE_MAX = 60


async def show_wallet(visit: PortalVisit) -> Response:
    """Show the wallet, and the form that takes a voucher's code."""
    return await _page(visit)


async def redeem_voucher(visit: PortalVisit, form: FormData) -> Response:
    """Redeem a voucher by its code, once by the form's key. A code is not kept, shown again or written to a log.

    A refused code leaves the form its key. Where nobody can say whether it was redeemed, it is 503 with the same key:
    whoever sends the code again redeems it once.
    """
    visit.require(CODES, "codes")
    account = visit.customer.account_id
    key, code = key_of(form, account), text_of(form, "code").strip()
    if not code or len(code) > _CODE_MAX or holds_card_number(code):
        return await _page(visit, "voucher_not_good", 422, key=text_of(form, "key"))

    async def redeemed(output: Output) -> None:
        await redeem_code(output, account, hash_of_code(code), id=f"portal-{key}", actor=ACTOR, reason=WHY)

    try:
        await carried_out("vouchers redeem", account, redeemed)
    except Failure as failure:
        if not _is_refusal(failure):
            return await _page(visit, "unsure", 503, key=text_of(form, "key"))
        # Which code is over, was used, or never was is told to nobody who does not have it.
        return await _page(visit, "voucher_not_good", 422, key=text_of(form, "key"))
    return RedirectResponse("/wallet?done=yes", 303)


async def switch_top_up(visit: PortalVisit, form: FormData) -> Response:
    """Switch automatic top-ups on or off."""
    visit.require(CHANGES, "changes")
    account, is_on = visit.customer.account_id, text_of(form, "is_on") == "yes"

    async def switched(output: Output) -> None:
        await choose_top_up(output, account, is_on=is_on, actor=ACTOR, reason=WHY)

    try:
        await carried_out("wallets top-up", account, switched)
    except Failure as failure:
        return await unknown(visit, show_wallet) if is_unknown(failure) else visit.message("not_done", 409)
    return RedirectResponse("/wallet?done=yes", 303)


def _is_refusal(failure: Failure) -> bool:
    """Whether it is what was sent that is refused: not a service that is away, nor sending that is held."""
    return failure.code is ExitCode.REFUSED and all(one.rule != HELD_RULE for one in failure.problems)


async def _page(visit: PortalVisit, wrong: str = "", status: int = 200, *, key: str = "") -> Response:
    wallets, id = Wallets(visit.portal.reading), visit.customer.account_id
    account = await wallets.account(id)
    shown: dict[str, Any] = {
        "balance_minor": await wallets.balance(id),
        "currency": account.currency,
        "rows": await wallets.newest(id, _SHOWN),
        "top_ups": await wallets.top_ups(id),
    }
    return visit.page("wallet.html", status, wrong=wrong, key=key or secrets.token_hex(16), **shown)
