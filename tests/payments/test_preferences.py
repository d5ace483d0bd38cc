"""A payment preference decides how an account pays: by a gateway's method it is charged, else it pays itself."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.collections.collect import CollectActivities
from activities.database import Database, RuleBrokenError
from activities.messages.reminders import reminders_at
from models.collections.collection import Stage
from models.gateway.gateway_request import AttemptCause, CollectOutcome
from tests.runs.test_who_is_due import freeze, frozen
from tests.support.attempts import request_for
from tests.support.builders import PERIOD, RUN, Merchant, declined
from tests.support.command_line import CommandLine
from tests.support.running_duly import RunningDuly


async def prefer(database: Database, account: str, method: str, reason: str = "the customer asks for it") -> None:
    await database.call("set_preferred_method", account_id=account, method=method, actor="clerk", reason=reason)


async def test_who_pays_by_bank_transfer_from_now_on_is_never_charged_by_a_run(
    merchant: Merchant, database: Database
) -> None:
    by_card, by_bank = await merchant.account(owes_minor=2500), await merchant.account(owes_minor=2500)

    await prefer(database, by_bank, "bank_transfer")
    await freeze(database)

    assert await frozen(merchant) == {by_card: "2500 EUR, visa 4242", by_bank: "pays_by_bank_transfer"}


async def test_who_changes_while_the_run_is_at_work_is_passed_over_and_charged_when_a_person_asks_for_it(
    merchant: Merchant, database: Database, collecting: CollectActivities
) -> None:
    account = await merchant.account(owes_minor=2500)
    await freeze(database)

    await prefer(database, account, "bank_transfer")
    passed_over = await collecting.collect(request_for(account, run_id=RUN))
    by_hand = await collecting.collect(request_for(account, period=f"{PERIOD}-order-1"))

    assert (passed_over.outcome, passed_over.code) == (CollectOutcome.CLOSED, "pays_by_bank_transfer")
    assert await frozen(merchant) == {account: "pays_by_bank_transfer"}
    assert by_hand.outcome is CollectOutcome.SETTLED


async def test_who_changes_while_a_declined_charge_waits_is_asked_no_more_and_nothing_becomes_of_the_account(
    duly: RunningDuly, merchant: Merchant, database: Database
) -> None:
    await merchant.run(
        "insert into duly.dunning_policies (id, version, document)"
        """ values ('standard', 2, '{"on_giving_up": "suspend"}')"""
    )
    account = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=2500)
    await duly.run()

    await prefer(database, account, "bank_transfer")
    await duly.collection(account).signal("card_changed")
    ended = await duly.collected(account)

    assert (ended.stage, ended.reason, ended.attempts) == (Stage.GIVEN_UP, "pays_by_bank_transfer", 2)
    assert await merchant.run("select action, (select state from duly.accounts) from duly.collections") == [
        ("nothing", "active")
    ]
    assert await merchant.value("select count(*) from duly.claims") == 0


async def test_who_pays_itself_is_reminded_although_it_has_a_card(merchant: Merchant, database: Database) -> None:
    accounts = [await merchant.account() for _ in range(2)]
    await merchant.run("update duly.accounts set email = id || '@example.com'")
    invoices = [await merchant.invoice(account, 2500) for account in accounts]
    due = await merchant.value("select due_on from duly.financial_transactions where id = :id", id=invoices[1])

    await prefer(database, accounts[1], "bank_transfer")
    reminded = await reminders_at(database, datetime(due.year, due.month, due.day, 12, tzinfo=UTC) + timedelta(days=1))

    assert [row.account_id for row in reminded] == [accounts[1]]


async def test_every_change_is_kept_with_who_and_why_and_a_repeat_is_none(
    merchant: Merchant, database: Database
) -> None:
    account = await merchant.account()

    for method in ("bank_transfer", "bank_transfer", "card"):
        await prefer(database, account, method, f"asked for {method}")

    assert await merchant.run("select changes -> 'payment_method', actor, reason from duly.account_changes") == [
        ({"was": "card", "is": "bank_transfer"}, "clerk", "asked for bank_transfer"),
        ({"was": "bank_transfer", "is": "card"}, "clerk", "asked for card"),
    ]


@pytest.mark.parametrize(
    ("method", "rule"), [("barter", "method_exists"), ("card_abroad", "currency_taken"), ("cash", "account_exists")]
)
async def test_a_preference_is_refused_by_rule(merchant: Merchant, database: Database, method: str, rule: str) -> None:
    account = await merchant.account() if rule != "account_exists" else "nobody"
    await merchant.run(
        "insert into duly.payment_methods (id, name, ledger_account) values ('card_abroad', 'Card, abroad', 'bank')"
    )
    await merchant.run("insert into duly.providers (id, gateway, mode) values ('abroad', 'stripe', 'test')")
    await merchant.run("insert into duly.provider_methods values ('card_abroad', 'abroad')")

    with pytest.raises(RuleBrokenError) as refused:
        await prefer(database, account, method)

    assert refused.value.type == rule


async def test_a_payment_carries_the_method_and_the_number_of_the_cards_preference(
    merchant: Merchant, collecting: CollectActivities
) -> None:
    account = await merchant.account(owes_minor=2500)

    await collecting.collect(request_for(account))

    number = await merchant.value("select 'PP-' || number from duly.payment_preferences")
    paid = "select method, payment_preference from duly.financial_transactions where classification = 'payment'"
    assert await merchant.run(paid) == [("card", number)]


async def test_an_agent_sets_it_by_command_by_edit_and_by_import(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    account = await merchant.account()
    header = "account_id,owner_name,currency,payment_method\n"
    (tmp_path / "accounts.csv").write_text(f"{header}{account},A. Customer,EUR,cash\nnew,B,EUR,bank_transfer\n")
    (tmp_path / "wrong.csv").write_text(f"{header}{account},A. Customer,EUR,barter\n")
    who = ("--actor", "clerk", "--reason", "asked on the phone")

    preferred = await cli.json("cards", "prefer", account, "--method", "bank_transfer", *who)
    await cli.json("accounts", "edit", account, "--payment-method", "card", *who)
    imported, again = [await cli.json("accounts", "import", str(tmp_path / "accounts.csv")) for _ in range(2)]
    wrong = await cli("accounts", "import", str(tmp_path / "wrong.csv"), "--json")
    shown = await cli.json("accounts", "show", account)

    assert preferred["preference"].startswith("PP-")
    assert [change["changes"]["payment_method"]["is"] for change in shown["changes"]] == [
        "cash",
        "card",
        "bank_transfer",
    ]
    assert [change["actor"] for change in shown["changes"][1:]] == ["clerk", "clerk"]
    assert (shown["preferences"][0]["method"], shown["preferences"][0]["is_preferred"]) == ("cash", True)
    assert (imported["accounts"]["updated"], imported["accounts"]["created"]) == (1, 1)
    assert again["accounts"]["unchanged"] == 2
    assert [(one["field"], one["rule"]) for one in json.loads(wrong.stdout)["problems"]] == [
        ("payment_method", "method_exists")
    ]


async def test_a_retry_by_hand_charges_the_card_of_who_pays_by_bank_transfer(
    merchant: Merchant, database: Database, collecting: CollectActivities
) -> None:
    account = await merchant.account(answers=[declined("insufficient_funds")], owes_minor=2500)
    await freeze(database)
    await collecting.collect(request_for(account, run_id=RUN))
    await prefer(database, account, "bank_transfer")

    asked = request_for(account, 2, run_id=RUN)
    by_person = await collecting.collect(type(asked)(**{**vars(asked), "cause": AttemptCause.MANUAL}))

    assert by_person.outcome is CollectOutcome.SETTLED


async def test_what_was_paid_by_a_method_is_refunded_after_its_provider_gave_the_method_up(
    merchant: Merchant, database: Database, collecting: CollectActivities
) -> None:
    account = await merchant.account(owes_minor=2500)
    await collecting.collect(request_for(account))
    payment = await merchant.value("select transaction_id from duly.gateway_requests")
    await merchant.run("select duly.keep_provider_lists('stripe', '{EUR}', '{}')")

    opened = await database.call(
        "open_refund",
        request_id="refund_1",
        kind="refund",
        payment_id=payment,
        amount_minor=500,
        attempt=1,
        actor="clerk",
        reason="goodwill",
        origin="user",
        is_acknowledged=True,
    )

    assert (opened["attempt"], opened["amount_minor"]) == (1, 500)
