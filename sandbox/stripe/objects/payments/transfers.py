"""Transfers: what a platform passes on to connected accounts, by itself or with a charge, and takes back."""

from stripe import Charge, Refund, Transfer, TransferReversal

from sandbox.stripe.api.errors import invalid_parameter, invalid_request
from sandbox.stripe.api.fields import blank
from sandbox.stripe.api.listing import listed
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.objects.payments import application_fees, payouts
from sandbox.stripe.state.account_state import AccountState, converted, merge_metadata

_TRANSFERS = "transfers"
_TAKES_TRANSFERS = "transfers, crypto_transfers, legacy_payments"


def check(state: AccountState, params: Json) -> None:
    """A payment goes to a connected account of the platform's that takes transfers, for as much as is paid at most."""
    given = params.get("transfer_data")
    if given is not None:
        require_destination(state, given["destination"], param="transfer_data[destination]")
        if "amount" in given and "application_fee_amount" in params:
            message = "You may only specify one of these parameters: transfer_data[amount], application_fee_amount."
            raise invalid_parameter(message, "transfer_data[amount]")
        if given.get("amount", 0) > params.get("amount", given.get("amount", 0)):
            message = "The transfer_data[amount] must be less than or equal to the charge amount."
            raise invalid_parameter(message, "transfer_data[amount]")
    if "on_behalf_of" in params:
        account = state.accounts.referenced(params["on_behalf_of"], param="on_behalf_of")
        if account["capabilities"].get("card_payments") != "active":
            message = f"The `on_behalf_of` account {account['id']} needs the `card_payments` capability."
            raise invalid_request(message, param="on_behalf_of")


def require_destination(state: AccountState, id: str, *, param: str) -> None:
    """The account is there and takes transfers, or Stripe's refusal."""
    account = state.accounts.referenced(id, param=param)
    if account["capabilities"].get(_TRANSFERS) != "active":
        raise invalid_request(
            "Your destination account needs to have at least one of the following capabilities enabled:"
            f" {_TAKES_TRANSFERS}",
            code="insufficient_capabilities_for_transfer",
        )


def destination_of(params: Json) -> Json | None:
    """What an intent says of where its money goes; an amount that was not given is left out."""
    given = params.get("transfer_data")
    return {name: given[name] for name in ("amount", "destination") if name in given} if given else None


def pass_on(state: AccountState, charge: Json) -> None:
    """The charge is booked: its destination gets its part at once, and the platform what it takes of that."""
    given = charge["transfer_data"]
    if given is None:
        return
    transfer = _move(
        state,
        {
            "amount": given.get("amount") or charge["amount_captured"],
            "currency": charge["currency"],
            "destination": given["destination"],
            "source_transaction": charge["id"],
            "transfer_group": charge["transfer_group"] or f"group_{charge['payment_intent']}",
        },
        fee=application_fees.fee_of(charge),
    )
    payment = theirs_of(state, transfer["destination"]).charges.get(transfer["destination_payment"])
    charge |= {
        "application_fee": payment["application_fee"],
        "transfer": transfer["id"],
        "transfer_group": transfer["transfer_group"],
    }


def create(state: AccountState, params: Json) -> Json:
    """A transfer of what is available on the platform's balance."""
    if state.connected_state is None:
        raise invalid_request("Transfers are made by platforms.")
    require_destination(state, params["destination"], param="destination")
    amount, currency = int(params["amount"]), params["currency"].lower()
    if "source_transaction" not in params and amount > payouts.available(state, currency):
        message = "You have insufficient available funds in your Stripe account."
        raise invalid_request(message, code="balance_insufficient")
    return _move(state, {**params, "amount": amount, "currency": currency})


def _move(state: AccountState, terms: Json, *, fee: int = 0) -> Json:
    id, destination = state.ids.new("tr"), terms["destination"]
    transfer = blank(Transfer) | {
        "id": id,
        "amount": terms["amount"],
        "amount_reversed": 0,
        "created": state.clock.now(),
        "currency": terms["currency"],
        "description": terms.get("description"),
        "destination": destination,
        "metadata": merge_metadata({}, terms.get("metadata") or {}),
        "reversals": {"object": "list", "data": [], "has_more": False, "url": f"/v1/transfers/{id}/reversals"},
        "reversed": False,
        "source_transaction": terms.get("source_transaction"),
        "source_type": "card",
        "transfer_group": terms.get("transfer_group"),
    }
    # What is of a charge leaves, and comes, when that is available.
    due = state.clock.now() + (int(state.delays.funds) if transfer["source_transaction"] else 0)
    moved = state.transact(transfer, amount=-terms["amount"], type="transfer", category="transfer", available_on=due)
    transfer["balance_transaction"] = moved["id"]
    payment = _payment(theirs_of(state, destination), transfer, fee, due)
    transfer["destination_payment"] = payment["id"]
    state.transfers.insert(transfer)
    state.emit("transfer.created", transfer)
    return transfer


def theirs_of(state: AccountState, account: str) -> AccountState:
    """What a connected account holds."""
    assert state.connected_state is not None  # noqa: S101  # only a platform has transfers
    return state.connected_state(account)


def _payment(theirs: AccountState, transfer: Json, fee: int, due: int) -> Json:
    """What comes to the connected account, of which the platform takes its fee."""
    amount = transfer["amount"]
    payment = blank(Charge) | {
        "id": theirs.ids.new("py"),
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": 0,
        "application_fee_amount": fee or None,
        "billing_details": blank(Charge.BillingDetails) | {"address": blank(Charge.BillingDetails.Address)},
        "captured": True,
        "created": theirs.clock.now(),
        "currency": transfer["currency"],
        "disputed": False,
        "metadata": {},
        "paid": True,
        "payment_method_details": {"stripe_account": {}, "type": "stripe_account"},
        "refunded": False,
        "source_transfer": transfer["id"],
        "status": "succeeded",
    }
    booked = theirs.transact(
        payment, amount=amount, application_fee=fee, type="payment", category="charge", available_on=due
    )
    payment["balance_transaction"] = booked["id"]
    theirs.charges.insert(payment)
    application_fees.take(theirs, payment, of=transfer["source_transaction"])
    return payment


def reverse(state: AccountState, params: Json, id: str) -> Json:
    """Takes a transfer back, or a part of it."""
    transfer = state.transfers.get(id)
    amount = int(params.get("amount") or transfer["amount"] - transfer["amount_reversed"])
    return take_back(state, transfer, amount, params, with_fee=bool(params.get("refund_application_fee")))


def take_back(
    state: AccountState, transfer: Json, amount: int, params: Json, *, with_fee: bool, refund: str | None = None
) -> Json:
    """What comes back to the platform, as far as the account has it."""
    left = transfer["amount"] - transfer["amount_reversed"]
    if not 0 < amount <= left:
        message = f"Transfer reversal amount ({amount}) is greater than unreversed amount on transfer ({left})"
        raise invalid_request(message, param="amount")
    theirs = theirs_of(state, transfer["destination"])
    payment = theirs.charges.get(transfer["destination_payment"])
    _require_funds(theirs, transfer, amount, with_fee=with_fee)
    reversal = blank(TransferReversal) | {
        "id": state.ids.new("trr"),
        "amount": amount,
        "created": state.clock.now(),
        "currency": transfer["currency"],
        "metadata": merge_metadata({}, params.get("metadata") or {}),
        "source_refund": refund,
        "transfer": transfer["id"],
    }
    moved = state.transact(reversal, amount=amount, type="transfer_refund", category="transfer_reversal")
    reversal["balance_transaction"] = moved["id"]
    reversal["destination_payment_refund"] = _refund(theirs, payment, reversal, with_fee=with_fee)["id"]
    state.transfer_reversals.insert(reversal)
    transfer["reversals"]["data"].insert(0, reversal)
    total = transfer["amount_reversed"] + amount
    transfer |= {"amount_reversed": total, "reversed": total == transfer["amount"]}
    state.emit("transfer.reversed", transfer)
    return reversal


def _require_funds(theirs: AccountState, transfer: Json, amount: int, *, with_fee: bool) -> None:
    payment = theirs.charges.get(transfer["destination_payment"])
    back = application_fees.share(payment, payment["amount_refunded"], amount) if with_fee else 0
    currency, rate = theirs.settlement_of(transfer["currency"])
    if theirs.balance(currency) < converted(amount - back, rate):
        message = "The connected account has insufficient funds to cover the reversal of this transfer."
        raise invalid_request(message, code="balance_insufficient")


def _refund(theirs: AccountState, payment: Json, reversal: Json, *, with_fee: bool) -> Json:
    """What leaves the connected account again, with its part of the fee where that goes back too."""
    amount = reversal["amount"]
    part = application_fees.share(payment, payment["amount_refunded"], amount) if with_fee else 0
    back = application_fees.give_back(theirs, payment, part)
    refund = blank(Refund) | {
        "id": theirs.ids.new("pyr"),
        "amount": amount,
        "charge": payment["id"],
        "created": theirs.clock.now(),
        "currency": payment["currency"],
        "metadata": {},
        "source_transfer_reversal": reversal["id"],
        "status": "succeeded",
    }
    moved = theirs.transact(refund, amount=-amount, application_fee=-back, type="payment_refund", category="refund")
    refund["balance_transaction"] = moved["id"]
    theirs.refunds.insert(refund)
    total = payment["amount_refunded"] + amount
    payment |= {"amount_refunded": total, "refunded": total == payment["amount"]}
    return refund


def check_reversed(state: AccountState, charge: Json, params: Json, amount: int) -> None:
    """A refund takes a transfer back of a charge that has one, as far as the account has the money."""
    if not params.get("reverse_transfer"):
        return
    transfer = state.transfers.find(charge.get("transfer"))
    if transfer is None:
        raise invalid_request(
            f"Cannot reverse transfer on charge ({charge['id']}) because it does not have an associated transfer.",
            param="reverse_transfer",
        )
    part = _part(transfer, charge, int(charge["amount_refunded"]), amount)
    with_fee = bool(params.get("refund_application_fee"))
    _require_funds(theirs_of(state, transfer["destination"]), transfer, part, with_fee=with_fee)


def _part(transfer: Json, charge: Json, refunded_before: int, amount: int) -> int:
    """What of the transfer goes back with a refund: in proportion to the charge, and in the end all of it."""
    whole, after = int(charge["amount_captured"]), refunded_before + amount
    return int(transfer["amount"] * after // whole - transfer["amount"] * refunded_before // whole)


def reverse_with(state: AccountState, refund: Json, charge: Json, *, with_fee: bool) -> None:
    """A refund takes the transfer back in proportion to the charge."""
    transfer = state.transfers.get(charge["transfer"])
    amount = _part(transfer, charge, int(charge["amount_refunded"]) - refund["amount"], refund["amount"])
    made = take_back(state, transfer, amount, {}, with_fee=with_fee, refund=refund["id"])
    refund["transfer_reversal"] = made["id"]


def list_reversals(state: AccountState, params: Json, id: str) -> Json:
    """What was taken back of a transfer, the newest first."""
    state.transfers.get(id)
    return listed(state.transfer_reversals, {**params, "transfer": id}, url=f"/v1/transfers/{id}/reversals")


def retrieve_reversal(state: AccountState, _params: Json, transfer: str, id: str) -> Json:
    """One of them."""
    state.transfers.get(transfer)
    return state.transfer_reversals.get(id)
