"""The balance and the balance transactions it is the sum of."""

from collections import defaultdict

from stripe import Balance

from sandbox.stripe.api.fields import blank
from sandbox.stripe.api.listing import listed
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.objects.payments import payouts
from sandbox.stripe.state.account_state import AccountState


def retrieve_balance(state: AccountState, _params: Json) -> Json:
    """Available and pending per currency; together they equal the sum of every net amount."""
    available: dict[str, int] = defaultdict(int)
    pending: dict[str, int] = defaultdict(int)
    for transaction in state.balance_transactions:
        part = available if transaction["available_on"] <= state.clock.now() else pending
        part[transaction["currency"]] += transaction["net"]
    currencies = sorted({*available, *pending})
    balance: Json = blank(Balance) | {
        "available": [_amount(currency, available[currency]) for currency in currencies],
        "pending": [_amount(currency, pending[currency]) for currency in currencies],
    }
    return balance


def _amount(currency: str, amount: int) -> Json:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}


def retrieve(state: AccountState, _params: Json, id: str) -> Json:
    """A balance transaction, available or pending as of now."""
    return _aged(state, state.balance_transactions.get(id))


def list_all(state: AccountState, params: Json) -> Json:
    """Balance transactions by creation, type, currency or source."""
    payout = params.pop("payout", None)
    if payout is None:
        page = listed(state.balance_transactions, params, url="/v1/balance_transactions")
    else:
        page = payouts.lines_of(state, params, payout)
    for transaction in page["data"]:
        _aged(state, transaction)
    return page


def _aged(state: AccountState, transaction: Json) -> Json:
    # Pending money becomes available by the passing of time alone, so its status is settled when it is read.
    transaction["status"] = "available" if transaction["available_on"] <= state.clock.now() else "pending"
    return transaction
