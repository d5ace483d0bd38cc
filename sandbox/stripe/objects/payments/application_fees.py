"""What a platform takes of charges on its connected accounts: taken with the charge, given back with its refunds."""

from stripe import ApplicationFee, ApplicationFeeRefund

from sandbox.stripe.api.errors import invalid_parameter, invalid_request, missing_object
from sandbox.stripe.api.fields import blank
from sandbox.stripe.api.listing import listed
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.money import WHOLE_HUNDREDS
from sandbox.stripe.state.account_state import AccountState, converted
from sandbox.stripe.state.ids import APPLICATION

GIVEN_BACK = "platform_earning_refund"


def check(state: AccountState, params: Json) -> None:
    """A fee goes to the platform: it is of a payment on a connected account, and positive."""
    amount = params.get("application_fee_amount")
    if amount is None:
        return
    if state.platform is None and "transfer_data" not in params:
        raise invalid_parameter(
            "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using an"
            " OAuth key or Stripe-Account header) or destination payment (using `transfer_data[destination]`).",
            "application_fee_amount",
        )
    if amount < 1:
        message = "This value must be greater than or equal to 1."
        raise invalid_parameter(message, "application_fee_amount", "parameter_invalid_integer")


def fee_of(charge: Json) -> int:
    """What the platform takes, which is never more than was captured."""
    return min(int(charge["application_fee_amount"] or 0), int(charge["amount_captured"]))


def take(state: AccountState, charge: Json, *, of: str | None = None) -> None:
    """The charge is booked: the platform has its part, on a balance transaction of its own.

    `of` is the platform's charge whose money came to the account.
    """
    platform, amount = state.platform, fee_of(charge)
    if platform is None or not amount:
        return
    id = state.ids.new("fee")
    fee = blank(ApplicationFee) | {
        "id": id,
        "account": state.account,
        "amount": amount,
        "amount_refunded": 0,
        "application": APPLICATION,
        "charge": charge["id"],
        "created": state.clock.now(),
        "currency": charge["currency"],
        "fee_source": {"charge": charge["id"], "type": "charge"},
        "originating_transaction": of,
        "refunded": False,
        "refunds": {"object": "list", "data": [], "has_more": False, "url": f"/v1/application_fees/{id}/refunds"},
    }
    moved = platform.transact(
        fee, amount=amount, type="application_fee", category="platform_earning",
        available_on=state.clock.now() + int(state.delays.funds),
    )  # fmt: skip
    fee["balance_transaction"] = moved["id"]
    platform.application_fees.insert(fee)
    charge["application_fee"] = id
    platform.emit("application_fee.created", fee)


def check_given_back(state: AccountState, charge: Json, params: Json) -> None:
    """A fee is given back of a charge that has one, by its platform."""
    is_of_platform = state.platform is None and charge["transfer_data"] is None
    if params.get("refund_application_fee") and (is_of_platform or not charge["application_fee_amount"]):
        raise invalid_request(
            f"Attempting to refund_application_fee on charge ({charge['id']}) but it has no application fee",
            param="refund_application_fee",
        )


def share(charge: Json, refunded_before: int, amount: int) -> int:
    """The part of the fee that goes back with a refund: pro rata, and with the last of the charge all that is left."""
    fee, captured = fee_of(charge), int(charge["amount_captured"])
    step = 100 if charge["currency"] in WHOLE_HUNDREDS else 1
    after, before = (_pro_rata(fee // step, each, captured) for each in (refunded_before + amount, refunded_before))
    return (after - before) * step


def _pro_rata(fee: int, refunded: int, captured: int) -> int:
    # Half up, of all that has gone back: parts that are rounded one by one would not add up to the fee.
    return (2 * fee * refunded + captured) // (2 * captured)


def give_back(state: AccountState, charge: Json, amount: int) -> int:
    """Books a part of the fee back at the platform; gives what the refund brings the account in its own currency."""
    platform = state.platform
    fee = platform.application_fees.find(charge["application_fee"]) if platform is not None else None
    if platform is None or fee is None:
        return 0
    amount = min(amount, fee["amount"] - fee["amount_refunded"])
    if not amount:
        return 0
    _refund(platform, fee, amount)
    return converted(amount, state.settlement_of(charge["currency"])[1])


def _refund(platform: AccountState, fee: Json, amount: int, metadata: Json | None = None) -> Json:
    """Books a part of a fee back at the platform."""
    refund = blank(ApplicationFeeRefund) | {
        "id": platform.ids.new("fr"),
        "amount": amount,
        "created": platform.clock.now(),
        "currency": fee["currency"],
        "fee": fee["id"],
        "metadata": metadata or {},
    }
    moved = platform.transact(refund, amount=-amount, type="application_fee_refund", category=GIVEN_BACK)
    refund["balance_transaction"] = moved["id"]
    platform.application_fee_refunds.insert(refund)
    fee["refunds"]["data"].insert(0, refund)
    total = fee["amount_refunded"] + amount
    fee |= {"amount_refunded": total, "refunded": total == fee["amount"]}
    platform.emit("application_fee.refunded", fee)
    platform.emit("application_fee.refund.updated", refund)
    return refund


def create_refund(state: AccountState, params: Json, id: str) -> Json:
    """Gives a fee back by itself, to the account of which it was taken; what that calls the movement is assumed."""
    fee = state.application_fees.get(id)
    left = fee["amount"] - fee["amount_refunded"]
    amount = int(params.get("amount") or left)
    if amount > left or not left:
        message = f"Refund amount ({amount}) is greater than the unrefunded amount on the fee ({left})"
        raise invalid_request(message, param="amount")
    refund = _refund(state, fee, amount, params.get("metadata"))
    if state.connected_state is not None:
        state.connected_state(fee["account"]).transact(
            refund, amount=amount, type="application_fee_refund", category=GIVEN_BACK
        )
    return refund


def list_refunds(state: AccountState, params: Json, id: str) -> Json:
    """What was given back of a fee, the newest first."""
    state.application_fees.get(id)
    url = f"/v1/application_fees/{id}/refunds"
    return listed(state.application_fee_refunds, {**params, "fee": id}, url=url)


def retrieve_refund(state: AccountState, _params: Json, fee: str, id: str) -> Json:
    """One of them."""
    refund = state.application_fee_refunds.find(id)
    if refund is None or refund["fee"] != fee:
        raise missing_object("fee_refund", id)
    return refund
