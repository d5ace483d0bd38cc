"""What is on the block list is never charged: by runs, by hand, on pages, by bank debit or to validate a card."""

from pathlib import Path

import pytest
from temporalio.client import WorkflowUpdateFailedError

from activities.collections.collect import CollectActivities
from activities.database import Database, RuleBrokenError
from activities.runs.dry_runs import DryRunActivities
from models.collections.collection import Stage
from models.gateway.gateway_request import CollectOutcome
from models.runs.dry_run import DryRunRequest
from sandbox.stripe.control.client import SandboxControl
from tests.bank.debits.direct_debits import DirectDebits
from tests.payments.paying_by_link import make, terms
from tests.runs.test_runs import totals
from tests.runs.test_who_is_due import freeze
from tests.support.attempts import broken_invariants, charged, request_for
from tests.support.builders import PERIOD, RUN, Merchant, declined
from tests.support.command_line import CommandLine
from tests.support.running_duly import RunningDuly
from tests.wallets.top_ups import ToppedUp
from workflows.collections.collection import Collection
from workflows.payments.payment_request import PaymentRequest

BY = ("--actor", "maria", "--reason", "stolen cards")
ALERTS = "select id from duly.messages where kind = 'charge_held' order by id"


async def block(database: Database, kind: str, value: str) -> None:
    await database.call("block_charges", kind=kind, value=value, ends_at=None, actor="maria", reason="stolen cards")


async def fingerprint(merchant: Merchant, account: str) -> str:
    """The fingerprint of the account's first card."""
    return str(await merchant.value("select fingerprint from duly.cards where account_id = :id limit 1", id=account))


async def test_a_run_passes_over_who_is_blocked_and_says_why_and_so_does_its_dry_run(
    duly: RunningDuly, merchant: Merchant, database: Database, stripe_sandbox: SandboxControl
) -> None:
    good = await merchant.account(owes_minor=2500)
    named = await merchant.account(owes_minor=1000)
    mailed = await merchant.account(owes_minor=700)
    on_card = await merchant.account(cards=("pm_card_mastercard",), owes_minor=300)
    await merchant.run("update duly.accounts set email = 'X@Fraud.Example' where id = :id", id=mailed)
    await block(database, "account", named)
    await block(database, "domain", "Fraud.Example.")
    await block(database, "card", await fingerprint(merchant, on_card))

    dry = await DryRunActivities(database).dry_run_page(DryRunRequest("monthly", PERIOD, "", 100))
    certificate = await duly.run()
    for _ in range(2):
        await database.call("alert_of_members", run_id=RUN, after="", limit=100)

    reasons = {named: "account_blocked", mailed: "email_blocked", on_card: "card_blocked", good: ""}
    assert {member.account_id: member.reason for member in dry.members} == reasons
    assert totals(certificate) == {
        ("charged", ""): (1, 2500), ("skipped", "account_blocked"): (1, 1000),
        ("skipped", "email_blocked"): (1, 700), ("skipped", "card_blocked"): (1, 300),
    }  # fmt: skip
    assert charged(stripe_sandbox) == (1, 2500)
    assert [row.id for row in await merchant.run(ALERTS)] == sorted(
        f"charge_held/{account}/{PERIOD}/{reason}" for account, reason in reasons.items() if reason
    )
    assert await broken_invariants(merchant) == []


async def test_who_is_blocked_after_the_freeze_is_passed_over_and_owes_on(
    duly: RunningDuly, merchant: Merchant, database: Database, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=2500)
    await freeze(database)
    await block(database, "account", account)

    certificate = await duly.run()

    assert totals(certificate) == {("skipped", "account_blocked"): (1, 2500)}
    assert (charged(stripe_sandbox), await merchant.balance(account)) == ((0, 0), 2500)
    assert await merchant.value("select count(*) from duly.claims") == 0


async def test_another_card_is_charged_in_place_of_a_blocked_one(
    merchant: Merchant, collecting: CollectActivities, database: Database
) -> None:
    account = await merchant.account(owes_minor=2500)
    await merchant.card(account, "pm_card_mastercard", order=2)
    await block(database, "card", await fingerprint(merchant, account))

    result = await collecting.collect(request_for(account))

    assert (result.outcome, result.card_label) == (CollectOutcome.SETTLED, "mastercard 4444")


async def test_a_declined_receivable_waits_for_a_person_and_goes_on_once_its_account_is_unblocked(
    duly: RunningDuly, merchant: Merchant, database: Database, stripe_sandbox: SandboxControl, cli: CommandLine
) -> None:
    account = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=2500)
    handle = await duly.start_collection(account)
    await handle.execute_update(Collection.first_outcome)
    asked = stripe_sandbox.request_counts().get("POST /v1/payment_intents")
    await block(database, "account", account)

    await duly.environment.sleep(10 * 24 * 3600)
    status = await handle.query(Collection.status)
    still_asked = stripe_sandbox.request_counts().get("POST /v1/payment_intents")
    await cli.json("fraud", "unblock", "account", account, *BY)

    assert (status.stage, status.is_in_review, status.review_reason) == (Stage.DUNNING, True, "account_blocked")
    assert still_asked == asked
    assert len(await merchant.run(ALERTS)) == 1
    assert (await handle.result()).stage is Stage.SETTLED
    assert await merchant.value("select max(attempt) from duly.gateway_attempts") == 2
    assert await merchant.balance(account) == 0


async def test_what_a_person_asks_of_who_is_blocked_is_refused_by_name(
    merchant: Merchant, database: Database, cli: CommandLine, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account(owes_minor=2500)
    card = await merchant.value("select id from duly.cards where account_id = :id", id=account)
    pay = ("payments", "create", account, "--amount", "25", "--json", "--actor", "m", "--reason", "r")

    blocked = await cli.json("fraud", "block", "card", card, *BY)
    by_card = await cli(*pay)
    await cli.json("fraud", "block", "account", account, *BY)
    again = await cli.json("fraud", "block", "account", account, *BY)
    by_account = await cli(*pay)

    assert (blocked["is_new"], blocked["value"], again["is_new"]) == (True, await fingerprint(merchant, account), False)
    assert (by_card.exit_code, by_card.rules) == (1, [("card", "card_blocked")])
    assert (by_account.exit_code, by_account.rules) == (1, [("account", "account_blocked")])
    with pytest.raises(RuleBrokenError, match="on the block list"):
        await database.call(
            "register_card", card_id="crd_new", account_id=account, provider_id="stripe", method="card", token="",
            is_recurring=True, fallback_order=1, is_preferred=False, replaces="",
        )  # fmt: skip
    validation = await database.call("open_validation", card_id=card, attempt=1)
    assert (validation["is_waiting"], validation["code"], charged(stripe_sandbox)) == (True, "account_blocked", (0, 0))


async def test_no_link_is_made_for_who_is_blocked_and_one_that_was_made_opens_no_page(
    duly: RunningDuly, merchant: Merchant, database: Database, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account()
    handle, _ = await make(duly, "before", terms(account))
    await block(database, "account", account)

    with pytest.raises(WorkflowUpdateFailedError) as page:
        await handle.execute_update(PaymentRequest.open_page)
    with pytest.raises(WorkflowUpdateFailedError) as link:
        await make(duly, "after", terms(account))

    assert [getattr(one.value.cause, "type", "") for one in (page, link)] == ["account_blocked"] * 2
    assert len(await merchant.run(ALERTS)) == 1
    assert "checkout/sessions" not in str(stripe_sandbox.request_counts())


async def test_a_block_that_has_ended_or_was_taken_off_holds_nothing_and_is_kept(
    merchant: Merchant, database: Database, cli: CommandLine, collecting: CollectActivities
) -> None:
    account = await merchant.account(owes_minor=2500)
    await cli.json("fraud", "block", "account", account, "--until", "2190-01-01", *BY)
    await merchant.run("update duly.charge_blocks set ends_at = now() - interval '1 second'")

    result = await collecting.collect(request_for(account))
    listed = await cli.json("fraud", "list")
    await cli.json("fraud", "block", "account", account, *BY)
    off = await cli.json("fraud", "unblock", "account", account, *BY)
    ended = await cli.json("fraud", "list", "--all")

    assert (result.outcome, listed["blocks"], off["was_blocked"]) == (CollectOutcome.SETTLED, [], True)
    assert [(one["lifted_by"], one["lifted_because"]) for one in ended["blocks"]] == [
        ("maria", "stolen cards"), ("system", "it has ended"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "rule"),
    [
        ("account", "acc_of_nobody", "account_exists"),
        ("email", "nobody", "address_format"),
        ("domain", "a@b", "domain_format"),
        ("card", "crd?", "card_exists"),
        ("card", "12345678901", "no_card_numbers"),
    ],
)
async def test_what_cannot_be_blocked_is_refused_by_name(cli: CommandLine, kind: str, value: str, rule: str) -> None:
    refused = await cli("fraud", "block", kind, value, "--json", *BY)

    assert (refused.exit_code, refused.rules) == (1, [("value", rule)])


async def test_no_debit_is_drawn_of_who_is_blocked(
    merchant: Merchant, cli: CommandLine, database: Database, tmp_path: Path
) -> None:
    debits = DirectDebits(merchant, cli, database, tmp_path)
    await debits.set_up()
    account = await debits.payer("c1")
    await block(database, "account", account)

    asked = await debits.collect(account)

    assert (asked.outcome, asked.code) == (CollectOutcome.PROVIDER_NOT_EFFECTIVE, "account_blocked")
    assert await merchant.value("select count(*) from duly.gateway_attempts") == 0


async def test_no_run_asks_for_a_top_up_of_who_is_blocked(merchant: Merchant, database: Database) -> None:
    wallets = ToppedUp(merchant, database)
    await wallets.set_up()
    account, other = await wallets.low("acc_blocked"), await wallets.low("acc_other")
    await block(database, "account", account)

    dry = await DryRunActivities(database).dry_run_page(DryRunRequest("top_ups", PERIOD, "", 100))

    assert {one.account_id: one.reason for one in dry.members} == {account: "account_blocked", other: ""}
