"""What a rule holds is released in the Temporal UI or by itself when its time is over, and dry runs foresee it."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from temporalio.client import WorkflowUpdateFailedError

from activities.collections.collect import CollectActivities
from activities.configuration.document_parts.charge_document import ChargeRule
from activities.database import Database
from activities.payments.hold_activities import HoldActivities
from activities.runs.dry_runs import DryRunActivities
from models.collections.collection import Stage
from models.gateway.gateway_request import CollectOutcome
from models.operator_command import OperatorCommand
from models.payments.hold import HeldReceivable, HoldRelease, hold_in_words
from models.runs.dry_run import DryRunRequest
from sandbox.stripe.control.client import SandboxControl
from tests.payments.fraud.test_holds import ABOVE, HELD, paid
from tests.payments.paying_by_link import make, terms
from tests.support.attempts import broken_invariants, charged, request_for
from tests.support.builders import PERIOD, Merchant
from tests.support.command_line import CommandLine
from tests.support.running_duly import RunningDuly
from workflows.collections.collection import Collection
from workflows.payments.payment_request import PaymentRequest

FAST = '[[charge_rules]]\nid = "fast"\nmost_charges = 2\nper = "{}"\nwithin_minutes = 60'
MARIA = HoldRelease("maria", "asked the customer")


async def test_an_update_releases_what_is_held_and_is_refused_where_nothing_is(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    await merchant.configure(ABOVE)
    account = await merchant.account(owes_minor=10001)
    handle = await duly.start_collection(account)
    held = await handle.execute_update(Collection.first_outcome)

    for nonsense in (HoldRelease("", "why"), HoldRelease("maria", "why", amount_minor=-1)):
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(Collection.release_hold, nonsense)
    with pytest.raises(WorkflowUpdateFailedError) as other:
        await handle.execute_update(Collection.release_hold, HoldRelease("maria", "why", amount_minor=1))
    answer = await handle.execute_update(Collection.release_hold, MARIA)
    result = await handle.result()

    assert (held.outcome, held.code) == HELD
    assert getattr(other.value.cause, "type", "") == "hold_exists"
    assert answer == "100.01 EUR released, which rule large held"
    assert (result.stage, charged(stripe_sandbox)) == (Stage.SETTLED, (1, 10001))
    assert await merchant.run("select released_by, released_because from duly.charge_holds") == [
        ("maria", "asked the customer")
    ]
    assert await broken_invariants(merchant) == []


async def test_a_release_that_is_repeated_finds_itself_done(
    merchant: Merchant, collecting: CollectActivities, database: Database
) -> None:
    await merchant.configure(ABOVE)
    account = await merchant.account(owes_minor=10001)
    await collecting.collect(request_for(account))

    held = HeldReceivable(account, PERIOD, "maria", "asked the customer")
    released = [await HoldActivities(database).release_hold(held) for _ in range(2)]

    assert [one.was_so for one in released] == [False, True]
    assert {(one.amount_minor, one.currency, one.rule) for one in released} == {(10001, "EUR", "large")}


async def test_a_collection_that_no_rule_holds_has_nothing_to_release(duly: RunningDuly, merchant: Merchant) -> None:
    await merchant.configure(ABOVE)
    account = await merchant.account(cards=(), owes_minor=500)
    handle = await duly.start_collection(account)
    await handle.execute_update(Collection.first_outcome)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update(Collection.release_hold, MARIA)
    await handle.execute_update(Collection.give_up, OperatorCommand("maria", "enough"))

    assert "no rule holds it" in str(refused.value.cause)


async def test_an_update_releases_a_link_too(duly: RunningDuly, merchant: Merchant) -> None:
    await merchant.configure(ABOVE)
    account = await merchant.account()
    handle, _ = await make(duly, "large", terms(account, 15000))
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update(PaymentRequest.open_page)

    for nonsense, rule in ((HoldRelease("", "why"), ""), (HoldRelease("maria", "why", 1), "hold_exists")):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(PaymentRequest.release_hold, nonsense)
        assert not rule or getattr(refused.value.cause, "type", "") == rule
    answer = await handle.execute_update(PaymentRequest.release_hold, MARIA)
    page = await handle.execute_update(PaymentRequest.open_page)

    assert (answer, page.startswith("http")) == ("150.00 EUR released, which rule large held", True)
    assert not (await handle.query(PaymentRequest.status)).is_in_review


@pytest.mark.parametrize("per", ["card", "merchant"])
async def test_what_was_too_fast_goes_on_by_itself_when_its_time_is_over(
    duly: RunningDuly, merchant: Merchant, collecting: CollectActivities, per: str
) -> None:
    await merchant.configure(FAST.format(per))
    account = await merchant.account()
    await paid(merchant, collecting, account, 1000, 1000)
    await merchant.invoice(account, 700)
    handle = await duly.start_collection(account)
    held = await handle.execute_update(Collection.first_outcome)
    ends_at = await merchant.value("select ends_at from duly.charge_holds")
    details = (await handle.query(Collection.status)).next_action
    # The clock of the database does not skip.
    await merchant.run("update duly.charge_holds set ends_at = now()")
    await merchant.run("update duly.gateway_attempts set started_at = started_at - interval '62 minutes'")
    await merchant.run("update duly.charge_counts set bucket = bucket - interval '62 minutes'")
    await duly.environment.sleep(timedelta(hours=1, minutes=2))
    result = await handle.result()

    assert (held.outcome, held.code, held.held_until) == (*HELD, ends_at)
    assert "goes on by itself" in details
    assert result.stage is Stage.SETTLED
    assert await merchant.run("select released_by, released_because from duly.charge_holds") == [
        ("system", "the time of rule fast is over")
    ]
    assert await broken_invariants(merchant) == []


async def test_whose_rule_waits_for_a_person_and_what_is_too_much_by_itself_have_no_end(
    merchant: Merchant, collecting: CollectActivities
) -> None:
    await merchant.configure(FAST.format("account") + "\nwaits_for_person = true")
    await merchant.configure(
        '[[charge_rules]]\nid = "sum"\ncurrency = "EUR"\nmost = "25.00"\nper = "card"\nwithin_minutes = 60'
    )
    account, large = await merchant.account(), await merchant.account(owes_minor=2501)
    await paid(merchant, collecting, account, 100, 100)
    await merchant.invoice(account, 100)

    held = [await collecting.collect(request_for(payer)) for payer in (account, large)]

    assert [(one.code, one.held_until) for one in held] == [("held_by_rule", None)] * 2


async def test_a_hold_whose_time_is_over_is_kept_where_another_rule_holds_it(
    merchant: Merchant, collecting: CollectActivities
) -> None:
    await merchant.configure(FAST.format("merchant"))
    account = await merchant.account()
    await paid(merchant, collecting, account, 1000, 1000)
    await merchant.invoice(account, 10001)
    first = await collecting.collect(request_for(account))
    await merchant.configure(ABOVE)
    await merchant.run("update duly.charge_holds set ends_at = now()")
    await merchant.run("update duly.charge_rules set within_minutes = 1 where id = 'fast'")
    await merchant.run("update duly.gateway_attempts set started_at = started_at - interval '62 minutes'")

    second = await collecting.collect(request_for(account))

    assert (first.code, second.code, second.held_until) == ("held_by_rule", "held_by_rule", None)
    assert await merchant.run("select rule_id, because, released_at from duly.charge_holds") == [
        ("large", "above", None)
    ]
    assert await merchant.value("select count(*) from duly.messages where kind = 'charge_held'") == 2


async def test_what_did_not_happen_is_no_charge_of_a_merchant(
    merchant: Merchant, collecting: CollectActivities
) -> None:
    await merchant.configure(FAST.format("merchant"))
    account = await merchant.account()
    await paid(merchant, collecting, account, 1000, 1000)
    await merchant.run("update duly.gateway_attempts set outcome = 'did_not_happen' where request_id like '%2026-01'")
    other = await merchant.account(owes_minor=500)

    assert (await collecting.collect(request_for(other))).outcome is CollectOutcome.SETTLED
    counts = await merchant.run("select sum(charges), sum(minor) from duly.charge_counts")
    assert counts == [(3, 0)]


@pytest.mark.parametrize("rule", [ABOVE, FAST.format("merchant")])
async def test_a_dry_run_foresees_what_will_be_held_and_why_and_the_run_holds_as_many(
    duly: RunningDuly, merchant: Merchant, database: Database, cli: CommandLine, rule: str
) -> None:
    await merchant.configure(rule)
    for amount in (10001, 2500, 300):
        await merchant.account(owes_minor=amount)

    page = await DryRunActivities(database).dry_run_page(DryRunRequest("monthly", PERIOD))
    shown = await cli.json("runs", "dry-run", "monthly", PERIOD)
    certificate = await duly.run()

    held = [member for member in page.members if member.hold]
    assert [one.reason for one in held] == ["held_by_rule"]
    assert len(shown["holds"]) == 1
    assert {(one["outcome"], one["members"]) for one in shown["totals"]} == {("charged", 2), ("held_by_rule", 1)}
    assert [one.members for one in certificate.totals if one.reason == "held_by_rule"] == [1]


def test_a_sum_of_nothing_is_no_limit() -> None:
    rule = {"id": "sum", "currency": "EUR", "per": "account", "within_minutes": 60}

    assert ChargeRule.model_validate({**rule, "most": "0.01"}).stored()["most_minor"] == 1
    with pytest.raises(ValidationError, match="most: is more than 0"):
        ChargeRule.model_validate({**rule, "most": "0.00"})


def test_figures_are_words() -> None:
    window = {"per": "card", "within_minutes": 60}
    cases: dict[tuple[str, int], tuple[dict[str, Any], str]] = {
        ("above", 10001): ({"limit_minor": 10000}, "above 100.00 EUR"),
        ("first_above", 5001): ({"limit_minor": 5000}, "the first payment, and above 50.00 EUR"),
        ("times_median", 3001): (
            {"limit_minor": 3000, "times": 3, "median_minor": 1000, "payments": 4},
            "above 30.00 EUR, 3 times 10.00 EUR, the median of 4 payments",
        ),
        ("most_charges", 100): (
            {**window, "charges": 2, "limit": 2},
            "after 2 charges per card within 60 minutes, where 2 are let through",
        ),
        ("most", 100): (
            {**window, "charged_minor": 2500, "limit_minor": 2500},
            "with it 26.00 EUR per card within 60 minutes, where 25.00 EUR is let through",
        ),
    }

    for (because, amount), (figures, words) in cases.items():
        assert hold_in_words(because, figures, amount, "EUR") == words
    assert hold_in_words("above", {}, 1, "EUR") == "above"
