"""The example of a merchant's connection."""

from datetime import timedelta

from models.merchants.account import ConnectionState
from models.merchants.connection import (
    ConnectionLink,
    ConnectionTerms,
    MerchantConnectionInput,
    MerchantConnectionResult,
    MerchantConnectionStatus,
)
from tests.contract.examples import COMMAND, HISTORY, NOON, WHO, WHY, Call, Example

ACCOUNT = "acct_1SXh2eJkLmNoPqRs"
STATUS = MerchantConnectionStatus(
    stage=ConnectionState.INCOMPLETE,
    gateway_account=ACCOUNT,
    reason="requirements.past_due",
    missing=("business_type",),
    due_at=None,
    next_action="the account is read again",
    next_action_at=NOON + timedelta(hours=1),
    history=HISTORY,
)

MERCHANTS = {
    "MerchantConnection": Example(
        MerchantConnectionInput(
            "bakery", "stripe", ConnectionTerms("owner@bakery.example", "DE", actor=WHO, reason=WHY)
        ),
        "merchant/bakery",
        MerchantConnectionResult("bakery", ACCOUNT, "by_a_person"),
        signals={"gateway_event": ()},
        updates={
            "check_now": Call(ConnectionState.SUCCESSFUL.value, COMMAND),
            "created": Call(ConnectionLink("bakery", ConnectionState.PENDING, ACCOUNT, "/connect/7c1f0a")),
            "disconnect": Call(ConnectionState.DISCONNECTED.value, COMMAND),
            "open_page": Call("https://connect.stripe.com/setup/e/acct_1SXh2eJkLmNoPqRs"),
        },
        queries={"status": Call(STATUS)},
    ),
}
