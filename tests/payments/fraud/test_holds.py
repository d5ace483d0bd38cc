"""An unusual charge is held before anything of it is sent, and a person releases it for its amount, or gives it up."""

from pathlib import Path

import pytest
from temporalio.client import WorkflowUpdateFailedError

from activities.collections.collect import CollectActivities
from activities.database import Database, RuleBrokenError
from models.collections.collection import Stage
from models.gateway.gateway_request import CollectOutcome
from models.operator_command import OperatorCommand
from sandbox.stripe.control.client import SandboxControl
from tests.bank.debits.direct_debits import DirectDebits
from tests.payments.paying_by_link import make, terms
from tests.runs.test_runs import totals
from tests.support.attempts import broken_invariants, charged, request_for
from tests.support.builders import PERIOD, Merchant, declined
from tests.support.command_line import CommandLine
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.collections.collection import Collection
from workflows.payments.payment_request import PaymentRequest

BY = ("--actor", "maria", "--reason", "asked the customer")
HELD = (CollectOutcome.PROVIDER_NOT_EFFECTIVE, "held_by_rule")
ABOVE = '[[charge_rules]]\nid = "large"\ncurrency = "EUR"\nabove = "100.00"'
ALERTS = "select count(*) from duly.messages where kind = 'charge_held'"


async def release(database: Database, account: str, amount: int | None = None, period: str = PERIOD) -> None:
    await database.call(
        "release_hold", account_id=account, period=period, amount=amount, actor="maria", reason="asked the customer"
    )


async def is_settled(merchant: Merchant) -> bool:
    return bool(await merchant.value("select count(*) = 1 from duly.collections where stage = 'settled'"))


async def paid(merchant: Merchant, collecting: CollectActivities, account: str, *amounts: int) -> None:
    """Let an account pay some amounts, one a month, on its card."""
    for month, amount in enumerate(amounts, 1):
        await merchant.invoice(account, amount)
        result = await collecting.collect(request_for(account, period=f"2026-{month:02}"))
        assert result.outcome is CollectOutcome.SETTLED


async def test_a_run_goes_on_past_what_is_held_and_counts_it_and_a_person_releases_it(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl, cli: CommandLine
) -> None:
    await merchant.configure(ABOVE)
    usual, large = await merchant.account(owes_minor=2500), await merchant.account(owes_minor=10001)

    certificate = await duly.run()
    handle = duly.collection(large)
    await duly.environment.sleep(3.5 * 3600)  # between two looks
    status = await handle.query(Collection.status)
    held = await cli.json("fraud", "holds")
    before = charged(stripe_sandbox)
    await cli.json("fraud", "release", large, PERIOD, "--amount", "100.01", *BY)

    assert totals(certificate) == {("charged", ""): (1, 2500), ("in_dunning", "held_by_rule"): (1, 10001)}
    assert (status.stage, status.is_in_review, status.review_reason) == (Stage.DUNNING, True, "held_by_rule")
    assert [(one["account_id"], one["amount_minor"], one["rule_id"], one["because"]) for one in held["holds"]] == [
        (large, 10001, "large", "above")
    ]
    assert (before, await merchant.value(ALERTS)) == ((1, 2500), 1)
    await handle.signal(Collection.hold_released)
    await until(lambda: is_settled(merchant))
    assert charged(stripe_sandbox) == (2, 12501)
    assert await merchant.run("select attempt, number from duly.gateway_attempts order by amount_minor") == [(1, 1)] * 2
    assert (await merchant.balance(usual), await merchant.balance(large)) == (0, 0)
    assert (await cli.json("fraud", "holds"))["holds"] == []
    assert [one["released_by"] for one in (await cli.json("fraud", "holds", "--all"))["holds"]] == ["maria"]
    assert await broken_invariants(merchant) == []


async def test_what_is_held_can_be_given_up_and_nothing_was_sent(
    duly: RunningDuly, merchant: Merchant, stripe_sandbox: SandboxControl, cli: CommandLine
) -> None:
    await merchant.configure(ABOVE)
    account = await merchant.account(owes_minor=10001)
    handle = await duly.start_collection(account)
    first = await handle.execute_update(Collection.first_outcome)

    await handle.execute_update(Collection.give_up, OperatorCommand("maria", "it was not the customer"))

    assert ((first.outcome, first.code), (await handle.result()).stage) == (HELD, Stage.GIVEN_UP)
    released = await cli.json("fraud", "release", account, PERIOD, *BY)
    assert (released["was_so"], released["over_because"]) == (False, "its collection has ended")
    assert await merchant.value("select released_at from duly.charge_holds") is None
    assert (charged(stripe_sandbox), await merchant.balance(account)) == ((0, 0), 10001)
    assert (await cli.json("fraud", "holds"))["holds"] == []


async def test_a_release_is_for_its_amount_alone_and_holds_for_the_tries_after_a_decline(
    merchant: Merchant, collecting: CollectActivities, database: Database
) -> None:
    await merchant.configure(ABOVE)
    account = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=20000)

    held = [await collecting.collect(request_for(account)) for _ in range(2)]
    await release(database, account, 20000)
    tried = await collecting.collect(request_for(account))
    await merchant.transfer(account, 5000)
    less = await collecting.collect(request_for(account, 2))
    with pytest.raises(RuleBrokenError, match="nothing of 2026-11"):
        await release(database, account, 1)
    await release(database, account)
    paid_now = await collecting.collect(request_for(account, 2))

    assert [(one.outcome, one.code) for one in (*held, less)] == [HELD] * 3
    assert (tried.outcome, paid_now.outcome) == (CollectOutcome.DECLINED, CollectOutcome.SETTLED)
    assert await merchant.run("select amount_minor from duly.charge_holds order by id") == [(20000,), (15000,)]
    assert await broken_invariants(merchant) == []


async def test_what_was_held_of_an_amount_that_is_not_owed_any_more_waits_for_nobody(
    merchant: Merchant, collecting: CollectActivities, database: Database, cli: CommandLine
) -> None:
    await merchant.configure(ABOVE)
    account = await merchant.account(owes_minor=20000)

    held = [await collecting.collect(request_for(account))]
    await merchant.transfer(account, 5000)
    held.append(await collecting.collect(request_for(account)))
    listed = [(await cli.json("fraud", "holds", *words))["holds"] for words in ((), ("--all",))]
    await release(database, account)
    settled = await collecting.collect(request_for(account))

    assert [(one.outcome, one.code) for one in held] == [HELD] * 2
    assert [[(one["amount_minor"], one["state"], one["why"]) for one in rows] for rows in listed] == [
        [(15000, "waiting", "above 100.00 EUR")],
        [(15000, "waiting", "above 100.00 EUR"), (20000, "over", "above 100.00 EUR")],
    ]
    assert (settled.outcome, settled.amount_minor) == (CollectOutcome.SETTLED, 15000)
    assert await merchant.value(ALERTS) == 2


async def test_a_hold_whose_time_is_over_or_whose_link_is_withdrawn_waits_for_nobody(
    duly: RunningDuly, merchant: Merchant, cli: CommandLine
) -> None:
    await merchant.configure(ABOVE)
    account = await merchant.account()
    handle, _ = await make(duly, "large", terms(account, 15000))
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update(PaymentRequest.open_page)

    waiting = [len((await cli.json("fraud", "holds"))["holds"])]
    await merchant.run("update duly.charge_holds set ends_at = now()")
    waiting.append(len((await cli.json("fraud", "holds"))["holds"]))
    await merchant.run("update duly.charge_holds set ends_at = null")
    await handle.execute_update(PaymentRequest.withdraw, OperatorCommand("maria", "not meant"))
    waiting.append(len((await cli.json("fraud", "holds"))["holds"]))

    assert waiting == [1, 0, 0]


async def test_what_is_far_above_an_accounts_usual_payments_is_held_and_a_first_payment_above_an_amount(
    merchant: Merchant, collecting: CollectActivities
) -> None:
    await merchant.configure('[[charge_rules]]\nid = "usual"\ntimes_median = 3\npayments_min = 3\nof_payments = 5')
    await merchant.configure('[[charge_rules]]\nid = "first"\ncurrency = "EUR"\nfirst_above = "50.00"')
    regular, few, new = [await merchant.account() for _ in range(3)]
    await paid(merchant, collecting, regular, 1000, 1000, 2500)
    await paid(merchant, collecting, few, 1000, 1000)
    for account, amount in ((regular, 3001), (few, 9000), (new, 5001)):
        await merchant.invoice(account, amount)

    results = [await collecting.collect(request_for(account)) for account in (regular, few, new)]

    assert [one.outcome is CollectOutcome.SETTLED for one in results] == [False, True, False]
    assert await merchant.run("select rule_id, because from duly.charge_holds order by id") == [
        ("usual", "times_median"), ("first", "first_above"),
    ]  # fmt: skip


@pytest.mark.parametrize("per", ["account", "card", "merchant"])
async def test_one_charge_too_many_within_a_time_is_held(
    merchant: Merchant, collecting: CollectActivities, per: str
) -> None:
    rule = f'[[charge_rules]]\nid = "fast"\nmost_charges = 2\nper = "{per}"\nwithin_minutes = 60'
    await merchant.configure(rule)
    account, same_card = await merchant.account(), await merchant.account()
    other_card = await merchant.account(cards=("pm_card_mastercard",))
    await paid(merchant, collecting, account, 1000, 1000)
    for payer in (account, same_card, other_card):
        await merchant.invoice(payer, 1000)

    held = {payer for payer in (account, same_card, other_card)
            if (await collecting.collect(request_for(payer))).code == "held_by_rule"}  # fmt: skip

    scope = {"account": {account}, "card": {account, same_card}, "merchant": {account, same_card, other_card}}
    assert held == scope[per]
    await merchant.run("delete from duly.charge_holds")
    await merchant.run("update duly.gateway_attempts set started_at = started_at - interval '61 minutes'")
    await merchant.run("update duly.charge_counts set bucket = bucket - interval '61 minutes'")
    assert (await collecting.collect(request_for(account))).outcome is CollectOutcome.SETTLED


async def test_a_sum_within_a_time_is_of_its_currency(merchant: Merchant, collecting: CollectActivities) -> None:
    await merchant.configure(
        '[[charge_rules]]\nid = "sum"\ncurrency = "EUR"\nmost = "25.00"\nper = "merchant"\nwithin_minutes = 1440'
    )
    yen = await merchant.account(currency="JPY", owes_minor=90000)
    euro, more = await merchant.account(owes_minor=2500), await merchant.account(owes_minor=100)

    results = [await collecting.collect(request_for(account)) for account in (yen, euro, more)]

    assert [one.code for one in results] == ["", "", "held_by_rule"]


@pytest.mark.usefixtures("workers")
async def test_a_payment_by_hand_waits_and_says_why_and_is_charged_at_once_when_it_is_released(
    cli: CommandLine, merchant: Merchant, stripe_sandbox: SandboxControl
) -> None:
    await merchant.configure(ABOVE)
    account = await merchant.account(owes_minor=20000)

    ordered = await cli.json("payments", "create", account, "--amount", "150", "--id", "p1", *BY)

    assert (ordered["state"], ordered["first_outcome"]["code"]) == ("processing", "held_by_rule")
    assert (charged(stripe_sandbox), await merchant.value(ALERTS)) == ((0, 0), 1)
    period = await merchant.value("select period from duly.charge_holds")
    released = await cli.json("fraud", "release", account, period, *BY)
    await until(lambda: is_settled(merchant))
    assert (released["was_so"], len(released["collections_signalled"])) == (False, 1)
    assert charged(stripe_sandbox) == (1, 15000)


async def test_no_page_is_opened_for_a_link_until_a_person_has_released_it(
    duly: RunningDuly, merchant: Merchant, database: Database
) -> None:
    await merchant.configure(ABOVE)
    account = await merchant.account()
    handle, _ = await make(duly, "large", terms(account, 15000))

    for _ in range(2):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(PaymentRequest.open_page)
        assert getattr(refused.value.cause, "type", "") == "held_by_rule"
    alerts = await merchant.value(ALERTS)
    period = await merchant.value("select period from duly.charge_holds")
    await release(database, account, period=period)
    page = await handle.execute_update(PaymentRequest.open_page)

    assert (alerts, page.startswith("http")) == (1, True)


async def test_a_large_bank_debit_is_held_too(
    merchant: Merchant, cli: CommandLine, database: Database, tmp_path: Path
) -> None:
    debits = DirectDebits(merchant, cli, database, tmp_path)
    await debits.set_up()
    await merchant.configure(ABOVE.replace("100.00", "10.00"))
    account = await debits.payer("c1")

    held = await debits.collect(account)
    await release(database, account, 2500)
    drawn = await debits.collect(account)

    assert ((held.outcome, held.code), drawn.outcome) == (HELD, CollectOutcome.PROCESSING)
