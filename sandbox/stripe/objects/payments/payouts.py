"""Payouts: what is available goes to the bank, on a schedule of Stripe's or when somebody asks for it."""

from functools import partial

from stripe import Payout

from sandbox.stripe.api.errors import invalid_request
from sandbox.stripe.api.fields import blank
from sandbox.stripe.api.listing import listed
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.state.account_state import AccountState, changed

_DAY = 86_400
_UNDER_WAY = frozenset({"pending", "in_transit"})


def create(state: AccountState, params: Json) -> Json:
    """A payout that somebody asks for: an amount of what is available. No list says which money it is."""
    amount, currency = params["amount"], params["currency"].lower()
    if amount > available(state, currency):
        raise invalid_request("You have insufficient funds in your Stripe account.", code="balance_insufficient")
    return _pay_out(state, amount, currency, automatic=False)


def available(state: AccountState, currency: str) -> int:
    """What may leave the balance now."""
    now = state.clock.now()
    return sum(
        each["net"]
        for each in state.balance_transactions
        if each["currency"] == currency and each["available_on"] <= now
    )


def pay_out_everything(state: AccountState) -> list[Json]:
    """What Stripe's schedule does: each currency's available money that no payout has taken yet.

    A balance below zero is filled from the bank account, by a payout of a negative amount.
    """
    now = state.clock.now()
    payouts = []
    for currency in sorted({each["currency"] for each in state.balance_transactions}):
        lines = [
            each
            for each in state.balance_transactions
            if each["currency"] == currency and each["available_on"] <= now and each["id"] not in state.paid_out
        ]
        total = sum(each["net"] for each in lines)
        if total != 0:
            payout = _pay_out(state, total, currency, automatic=True)
            state.paid_out |= {each["id"]: payout["id"] for each in lines}
            state.paid_out[payout["balance_transaction"]] = payout["id"]
            payouts.append(payout)
    return payouts


def _pay_out(state: AccountState, amount: int, currency: str, *, automatic: bool) -> Json:
    now = state.clock.now()
    payout = state.payouts.insert(
        blank(Payout)
        | {
            "id": state.ids.new("po"),
            "amount": amount,
            "arrival_date": (now // _DAY + 2) * _DAY,
            "automatic": automatic,
            "created": now,
            "currency": currency,
            "destination": "ba_duly_sandbox",
            "metadata": {},
            "method": "standard",
            "reconciliation_status": "in_progress" if automatic else "not_applicable",
            "source_type": "card",
            "status": "pending",
            "trace_id": {"status": "pending", "value": None},
            "type": "bank_account",
        }
    )
    moved = state.transact(payout, amount=-amount, type="payout", category="payout")
    payout["balance_transaction"] = moved["id"]
    state.emit("payout.created", payout)
    state.clock.after(state.delays.payout, partial(arrive, state, payout))
    return payout


def arrive(state: AccountState, payout: Json) -> None:
    """The bank has it, as far as Stripe knows."""
    if payout["status"] not in _UNDER_WAY:
        return
    before = dict(payout)
    payout["status"] = "paid"
    payout["trace_id"] = {"status": "supported", "value": f"TRACE{payout['id'][-8:].upper()}"}
    if payout["automatic"]:
        payout["reconciliation_status"] = "completed"
        state.emit("payout.reconciliation_completed", payout)
    state.emit("payout.paid", payout, changed(before, payout, "status"))


def fail(state: AccountState, payout: Json) -> None:
    """The bank sends it back, even one that was paid, or refuses to be debited: the money is on the balance again."""
    if payout["status"] not in _UNDER_WAY | {"paid"}:
        return
    failure = {"failure_code": "account_closed", "failure_message": "The bank account is closed."}
    _take_back(state, payout, "failed", "payout_failure", failure)


def cancel(state: AccountState, params: Json, id: str) -> Json:  # noqa: ARG001  # as every operation is called
    """Somebody stops a payout that was asked for, before it has left."""
    payout = state.payouts.get(id)
    if payout["automatic"] or payout["status"] != "pending":
        raise invalid_request("Payouts can only be canceled while they are pending, and when they were made by hand.")
    _take_back(state, payout, "canceled", "payout_cancel", {})
    return payout


def _take_back(state: AccountState, payout: Json, status: str, type: str, failure: Json) -> None:
    before = dict(payout)
    payout |= {"status": status, **failure}
    back = state.transact(payout, amount=payout["amount"], type=type, category="payout_reversal")
    payout["failure_balance_transaction"] = back["id"]
    state.emit(f"payout.{status}", payout, changed(before, payout, "status"))


def lines_of(state: AccountState, params: Json, payout: str) -> Json:
    """The balance transactions of an automatic payout, its own among them."""
    state.payouts.referenced(payout, param="payout")
    return listed(
        state.balance_transactions,
        params,
        url="/v1/balance_transactions",
        where=lambda each: state.paid_out.get(each["id"]) == payout,
    )
