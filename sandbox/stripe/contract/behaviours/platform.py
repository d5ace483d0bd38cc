"""What a platform takes of payments on a connected account."""

from sandbox.stripe.contract.behaviour import behaviour
from sandbox.stripe.contract.behaviours.requests import payment
from sandbox.stripe.contract.calls import Calls, NotAskedError
from sandbox.stripe.jsontypes import Json


def _account(calls: Calls) -> str:
    """An account that may be charged on: a new one of the sandbox's, else one that the platform has already."""
    if calls.control is not None:
        return str(calls.post("/v1/accounts", {"type": "standard"}).body["id"])
    for each in calls.get("/v1/accounts", limit=100).body["data"]:
        if each["charges_enabled"]:
            return str(each["id"])
    raise NotAskedError("the platform has no connected account that may be charged on")


def _charge(calls: Calls, account: str) -> Json:
    """A booked charge of 20.00 on the account, of which the platform takes 1.00."""
    form = payment(
        capture_method="automatic", application_fee_amount=100, **{"expand[]": "latest_charge.balance_transaction"}
    )
    made = calls.post("/v1/payment_intents", form, Stripe_Account=account)
    charge: Json = made.body["latest_charge"]
    return charge


def _parts(transaction: Json) -> str:
    return " and ".join(sorted(f"{each['type']}" for each in transaction["fee_details"]))


@behaviour("400 application_fee_amount", "/connect/direct-charges")
def own_fee(calls: Calls) -> str:
    """A platform takes no fee of its own payments."""
    refused = calls.post("/v1/payment_intents", payment(application_fee_amount=100))
    return f"{refused.status} {refused.body['error'].get('param')}"


@behaviour("application_fee and stripe_fee, 100 to the platform as platform_earning", "OpenAPI application_fee")
def fee_taken(calls: Calls) -> str:
    """A fee is a part of the charge's fee at the account, and a movement of its own at the platform."""
    charge = _charge(calls, _account(calls))
    [fee] = calls.get("/v1/application_fees", charge=charge["id"]).body["data"]
    moved = calls.get(f"/v1/balance_transactions/{fee['balance_transaction']}").body
    return f"{_parts(charge['balance_transaction'])}, {moved['net']} to the platform as {moved['reporting_category']}"


@behaviour("25 back to the account, -25 at the platform as platform_earning_refund", "/api/refunds/create")
def fee_given_back(calls: Calls) -> str:
    """A refund gives the fee back in proportion to the charge when it says so."""
    account = _account(calls)
    charge = _charge(calls, account)
    form = {
        "charge": charge["id"],
        "amount": 500,
        "refund_application_fee": "true",
        "expand[]": "balance_transaction",
    }
    refund = calls.post("/v1/refunds", form, Stripe_Account=account).body
    [fee] = calls.get("/v1/application_fees", charge=charge["id"]).body["data"]
    moved = calls.get(f"/v1/balance_transactions/{fee['refunds']['data'][0]['balance_transaction']}").body
    back = -refund["balance_transaction"]["fee"]
    return f"{back} back to the account, {moved['net']} at the platform as {moved['reporting_category']}"


@behaviour("0 back to the account, 0 of 100 given back", "/api/refunds/create")
def fee_kept(calls: Calls) -> str:
    """A refund that says nothing of the fee leaves it with the platform."""
    account = _account(calls)
    charge = _charge(calls, account)
    form = {"charge": charge["id"], "expand[]": "balance_transaction"}
    refund = calls.post("/v1/refunds", form, Stripe_Account=account).body
    [fee] = calls.get("/v1/application_fees", charge=charge["id"]).body["data"]
    back = -refund["balance_transaction"]["fee"]
    return f"{back} back to the account, {fee['amount_refunded']} of {fee['amount']} given back"
