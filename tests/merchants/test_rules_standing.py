"""Where a merchant's account stands: the first rule that fits, over everything that the gateway may say."""

from dataclasses import replace
from itertools import product
from typing import Any, get_args, get_type_hints

import pytest
import stripe

from models.merchants.account import (
    AccountFacts,
    Capability,
    ConnectionState,
    Flow,
    NewAccount,
    is_rejected,
    standing_of,
)
from models.merchants.connection import (
    ConnectionTerms,
    InvalidConnectionError,
    MerchantConnectionInput,
    MerchantConnectionSnapshot,
)
from models.waiting import WaiterSnapshot
from workflows import waiting
from workflows.merchants.state import MerchantConnectionProgress

READY = AccountFacts(
    "acct_1",
    "owner@bakery.example",
    charges_enabled=True,
    details_submitted=True,
    payouts_enabled=True,
    disabled_reason="",
    capability=Capability.ACTIVE,
)
NEW = replace(
    READY,
    charges_enabled=False,
    details_submitted=False,
    payouts_enabled=False,
    disabled_reason="requirements.past_due",
    capability=Capability.INACTIVE,
    currently_due=("business_type",),
    past_due=("business_type",),
)
STOPPED = replace(READY, charges_enabled=False, capability=Capability.INACTIVE)


@pytest.mark.parametrize(
    ("facts", "has_returned", "state"),
    [
        (NEW, False, "pending"),
        (NEW, True, "incomplete"),
        (READY, True, "successful"),
        (replace(READY, payouts_enabled=False), True, "successful"),
        (replace(READY, capability=Capability.ABSENT), True, "successful"),
        (replace(READY, currently_due=("tax_id",)), True, "successful"),
        (replace(STOPPED, currently_due=("tax_id",)), True, "incomplete"),
        (replace(STOPPED, disabled_reason="requirements.past_due"), True, "incomplete"),
        (replace(STOPPED, disabled_reason="action_required.requested_capabilities"), True, "incomplete"),
        (replace(STOPPED, pending_verification=("id_number",)), True, "pending"),
        (replace(STOPPED, disabled_reason="requirements.pending_verification"), True, "pending"),
        (replace(STOPPED, capability=Capability.PENDING), True, "pending"),
        (replace(STOPPED, disabled_reason="under_review", currently_due=("tax_id",)), True, "restricted"),
        (replace(STOPPED, disabled_reason="platform_paused"), True, "restricted"),
        (replace(STOPPED, disabled_reason="rejected.fraud"), True, "restricted"),
        (replace(NEW, disabled_reason="rejected.other"), False, "restricted"),
        (STOPPED, True, "restricted"),
        (replace(STOPPED, disabled_reason="something.new"), True, "restricted"),
        (replace(READY, capability=Capability.UNREQUESTED), True, "restricted"),
    ],
)
def test_the_first_rule_that_fits_says_where_an_account_stands(
    facts: AccountFacts, has_returned: bool, state: str
) -> None:
    assert standing_of(facts, has_returned=has_returned).state == state


def test_whatever_the_gateway_says_has_a_state_and_only_who_may_charge_is_successful() -> None:
    reasons = ["", *_reasons()]
    assert len(reasons) == 16

    either = (False, True)
    for reason, capability, (is_enabled, is_submitted, is_due, is_checked, is_back) in product(
        reasons, Capability, product(either, either, either, either, either)
    ):
        facts = replace(
            READY,
            disabled_reason=reason,
            capability=capability,
            charges_enabled=is_enabled,
            details_submitted=is_submitted,
            currently_due=("tax_id",) if is_due else (),
            pending_verification=("id_number",) if is_checked else (),
        )
        standing = standing_of(facts, has_returned=is_back)
        if standing.state is ConnectionState.SUCCESSFUL:
            assert facts.may_be_paid(Flow.DIRECT)
            assert not is_rejected(reason)
        assert standing.state is not ConnectionState.DISCONNECTED
        assert standing.missing == facts.currently_due


def test_what_stops_payments_is_said_even_where_the_gateway_says_nothing() -> None:
    assert standing_of(STOPPED, has_returned=True).reason == "unexplained"
    assert standing_of(NEW, has_returned=True).missing == ("business_type",)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"email": "nobody", "country": "DE"}, "email"),
        ({"email": "a b@c.example", "country": "DE"}, "email"),
        ({"email": "owner@bakery.example"}, "country"),
        ({"email": "owner@bakery.example", "country": "DE", "gateway_account": "acct_1"}, "gateway_account"),
        ({"email": "owner@bakery.example", "gateway_account": "acct_1", "is_new_account": True}, "is_new_account"),
    ],
)
def test_terms_that_no_account_can_be_made_of_are_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidConnectionError, match=f"^{field}: "):
        ConnectionTerms(**given)


def _reasons() -> list[str]:
    hint = get_type_hints(stripe.Account.Requirements)["disabled_reason"]
    return [reason for part in get_args(hint) for reason in get_args(part)]


def test_an_account_that_is_asked_for_with_other_colours_has_another_key() -> None:
    plain = NewAccount("bakery", "owner@bakery.example", "DE", "EUR", "duly-1")
    blue, framed = replace(plain, color="#336699"), replace(plain, color="#336699", background_color="#ffffff")

    keys = [one.key_of(2) for one in (plain, blue, framed)]

    assert keys[0] == "duly-1/merchant/bakery/2"
    assert len(set(keys)) == 3
    assert blue.key_of(2) == keys[1] != blue.key_of(3)


@pytest.mark.parametrize("transfers", Capability)
def test_a_merchant_that_the_platform_pays_stands_by_its_transfers_alone(transfers: Capability) -> None:
    facts = replace(READY, charges_enabled=False, capability=Capability.ABSENT, transfers=transfers)

    standing = standing_of(facts, has_returned=True, flow=Flow.DESTINATION)

    assert (standing.state is ConnectionState.SUCCESSFUL) == (transfers is Capability.ACTIVE)
    assert (standing.state is ConnectionState.PENDING) == (transfers is Capability.PENDING)


def test_a_connection_that_goes_on_as_new_carries_how_often_it_was_read_and_what_a_person_was_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # No fault comes before it.
    monkeypatch.setattr(waiting, "carried_state", lambda _: None)
    carried = MerchantConnectionSnapshot(47, WaiterSnapshot(("successful",), True, "merchant_restricted"))
    progress = MerchantConnectionProgress(MerchantConnectionInput("cafe", "second", resumed=carried), lambda: True)

    goes_on = progress.resumed_request()

    assert goes_on == MerchantConnectionInput("cafe", "second", resumed=carried)
