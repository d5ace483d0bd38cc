"""Run definitions with criteria: who is a member, who is left out and why, and that nobody is charged twice."""

from collections.abc import Mapping
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.runs.dry_runs import DryRunActivities
from models.gateway.gateway_request import CollectOutcome
from models.runs.dry_run import DryRunMember, DryRunRequest
from models.runs.process_run import ItemOutcome
from sandbox.stripe.control.client import SandboxControl
from tests.runs.test_who_is_due import define, freeze, frozen
from tests.support.attempts import charged, request_for
from tests.support.builders import PERIOD, RUN, Merchant
from tests.support.running_duly import RunningDuly

SOME = "some"
EARLIER, LATER = "2026-10-15", "2027-06-01"


async def define_some(merchant: Merchant, **criteria: Any) -> None:
    await define(merchant, SOME, criteria=Jsonb(criteria))


async def describe(merchant: Merchant, account: str, **columns: Any) -> None:
    """Say something about an account: its segment, its classification."""
    for column, value in columns.items():
        await merchant.run(f"update duly.accounts set {column} = :value where id = :id", value=value, id=account)


async def invoice_due(merchant: Merchant, account: str, amount_minor: int, due_on: str) -> str:
    """Post an invoice that is due on a day, whichever day it is today."""
    invoice = await merchant.invoice(account, amount_minor)
    await merchant.run(
        "do $$ begin alter table duly.financial_transactions disable trigger user; update duly.financial_transactions"
        f" set due_on = '{due_on}' where id = '{invoice}'; alter table duly.financial_transactions enable trigger user;"
        " end $$"
    )
    return invoice


async def dry_run(database: Database, definition: str = SOME) -> list[DryRunMember]:
    page = await DryRunActivities(database).dry_run_page(DryRunRequest(definition, PERIOD))
    return list(page.members)


async def left_out(merchant: Merchant, run_id: str) -> list[tuple[str, str, int, int]]:
    rows = await merchant.value("select left_out from duly.process_runs where id = :run", run=run_id)
    return [tuple(row[name] for name in ("reason", "currency", "accounts", "amount_minor")) for row in rows]


async def somebody_for_every_criterion(merchant: Merchant) -> Mapping[str, str]:
    """Return why each account is left out by all criteria at once; nothing for who is charged."""
    for account, owes, segment, classification in (
        ("acc_taken", 2500, "business", "vip"),
        ("acc_private", 2500, "private", "vip"),
        ("acc_nothing_said", 2500, None, None),
        ("acc_ordinary", 2500, "business", "ordinary"),
        ("acc_little", 900, "business", "vip"),
        ("acc_much", 90000, "business", "vip"),
    ):
        await merchant.account(account)
        await describe(merchant, account, segment=segment, classification=classification)
        await invoice_due(merchant, account, owes, EARLIER)
    await merchant.account("acc_later")
    await describe(merchant, "acc_later", segment="business", classification="vip")
    await invoice_due(merchant, "acc_later", 2500, LATER)
    return {
        "acc_taken": "",
        "acc_private": "segment_not_in_criteria",
        "acc_nothing_said": "segment_not_in_criteria",
        "acc_ordinary": "classification_not_in_criteria",
        "acc_little": "amount_below_criteria",
        "acc_much": "amount_above_criteria",
        "acc_later": "due_later",
    }


ALL: Mapping[str, Any] = {
    "segments": ["business"],
    "classifications": ["vip"],
    "minimum_minor": {"EUR": 1000},
    "maximum_minor": {"EUR": 50000},
    "due_within_days": 3,
}


async def test_a_dry_run_says_of_each_account_by_which_criterion_it_is_left_out(
    merchant: Merchant, database: Database
) -> None:
    expected = await somebody_for_every_criterion(merchant)
    await define_some(merchant, **ALL)

    members = await dry_run(database)

    assert {member.account_id: member.reason for member in members} == expected
    assert {member.account_id for member in members if not member.is_left_out} == {"acc_taken"}


async def test_a_run_has_only_those_who_are_meant_and_counts_who_is_left_out(
    merchant: Merchant, database: Database
) -> None:
    await somebody_for_every_criterion(merchant)
    await define_some(merchant, **ALL)

    run = await freeze(database, SOME)

    assert await frozen(merchant, run) == {"acc_taken": "2500 EUR, visa 4242"}
    assert await left_out(merchant, run) == [
        ("amount_above_criteria", "EUR", 1, 90000),
        ("amount_below_criteria", "EUR", 1, 900),
        ("classification_not_in_criteria", "EUR", 1, 2500),
        ("due_later", "EUR", 1, 2500),
        ("segment_not_in_criteria", "EUR", 2, 5000),
    ]


async def test_the_certificate_has_the_criteria_and_who_was_left_out(duly: RunningDuly, merchant: Merchant) -> None:
    for account, segment in (("acc_1", "business"), ("acc_2", "private")):
        await merchant.account(account, owes_minor=2500)
        await describe(merchant, account, segment=segment)
    await define_some(merchant, segments=["business"])

    certificate = await duly.run(SOME)
    await merchant.run("update duly.run_definitions set criteria = '{}' where id = 'some'")

    assert certificate.criteria == {"segments": ["business"]}
    assert [(one.reason, one.accounts, one.amount_minor) for one in certificate.left_out] == [
        ("segment_not_in_criteria", 1, 2500)
    ]
    assert [(total.outcome, total.members) for total in certificate.totals] == [(ItemOutcome.CHARGED, 1)]


@pytest.mark.parametrize("currency", ["JPY", "KWD"])
async def test_a_bound_in_one_currency_does_not_bound_another(
    merchant: Merchant, database: Database, currency: str
) -> None:
    account = await merchant.account(currency=currency, owes_minor=90000)
    await define_some(merchant, minimum_minor={"EUR": 100000}, maximum_minor={"EUR": 100001})

    assert [(one.account_id, one.reason) for one in await dry_run(database)] == [(account, "")]


@pytest.mark.parametrize(
    ("owes_minor", "reason"), [(999, "amount_below_criteria"), (1000, ""), (2000, ""), (2001, "x")]
)
async def test_the_bounds_themselves_are_in(
    merchant: Merchant, database: Database, owes_minor: int, reason: str
) -> None:
    await merchant.account(owes_minor=owes_minor)
    await define_some(merchant, minimum_minor={"EUR": 1000}, maximum_minor={"EUR": 2000})

    (member,) = await dry_run(database)

    assert member.reason == reason.replace("x", "amount_above_criteria")


async def test_only_invoices_that_fall_due_in_time_are_charged_and_the_bounds_are_of_those(
    merchant: Merchant, database: Database, collecting: CollectActivities, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account()
    due = await invoice_due(merchant, account, 2500, EARLIER)
    await invoice_due(merchant, account, 100000, LATER)
    await define_some(merchant, due_within_days=3, maximum_minor={"EUR": 2500})

    run = await freeze(database, SOME)
    result = await collecting.collect(request_for(account, run_id=run))

    assert result.outcome is CollectOutcome.SETTLED
    assert charged(stripe_sandbox) == (1, 2500)
    assert await merchant.value("select invoices from duly.gateway_requests") == [due]


async def test_what_is_due_later_is_charged_by_the_run_that_takes_it(
    merchant: Merchant, database: Database, collecting: CollectActivities, stripe_sandbox: SandboxControl
) -> None:
    account = await merchant.account()
    await invoice_due(merchant, account, 2500, EARLIER)
    await invoice_due(merchant, account, 700, LATER)
    await define_some(merchant, due_within_days=0)
    await collecting.collect(request_for(account, run_id=await freeze(database, SOME)))

    result = await collecting.collect(request_for(account, run_id=await freeze(database)))

    assert result.outcome is CollectOutcome.SETTLED
    assert charged(stripe_sandbox) == (2, 3200)


async def test_who_pays_by_another_method_of_the_provider_is_left_out(merchant: Merchant, database: Database) -> None:
    card = await merchant.account(owes_minor=2500)
    debit = await merchant.account(owes_minor=700)
    no_card = await merchant.account(owes_minor=900, cards=[])
    await merchant.run("insert into duly.payment_methods (id, name, ledger_account) values ('debit', 'Debit', 'bank')")
    await merchant.run("insert into duly.provider_methods values ('debit', 'stripe')")
    await merchant.run(
        "update duly.payment_preferences set payment_method_id = 'debit' where account_id = :id", id=debit
    )
    await define_some(merchant, payment_methods=["card"])

    reasons = {one.account_id: one.reason for one in await dry_run(database)}

    assert reasons == {card: "", debit: "method_not_in_criteria", no_card: "no_card"}


async def test_definitions_whose_criteria_overlap_charge_nobody_twice(
    merchant: Merchant, database: Database, collecting: CollectActivities, stripe_sandbox: SandboxControl
) -> None:
    """Both runs are frozen before either charges: of the second, whoever the first has charged is skipped."""
    both, vip = await merchant.account("acc_both", owes_minor=2500), await merchant.account("acc_vip", owes_minor=700)
    await describe(merchant, both, segment="business", classification="vip")
    await describe(merchant, vip, classification="vip")
    await define(merchant, "businesses", criteria=Jsonb({"segments": ["business"]}))
    await define(merchant, "vips", criteria=Jsonb({"classifications": ["vip"]}))
    runs = [await freeze(database, "businesses"), await freeze(database, "vips")]

    outcomes = [
        (await collecting.collect(request_for(account, run_id=run))).outcome
        for run, account in ((runs[0], both), (runs[1], both), (runs[1], vip))
    ]

    assert outcomes == [CollectOutcome.SETTLED, CollectOutcome.NOTHING_OWED, CollectOutcome.SETTLED]
    assert charged(stripe_sandbox) == (2, 3200)


async def test_a_run_of_everybody_after_one_of_some_charges_the_others(duly: RunningDuly, merchant: Merchant) -> None:
    business = await merchant.account("acc_1", owes_minor=2500)
    await merchant.account("acc_2", owes_minor=700)
    await describe(merchant, business, segment="business")
    await define_some(merchant, segments=["business"])

    some, everybody = await duly.run(SOME), await duly.run()

    charged_minor = [
        sum(total.amount_minor for total in one.totals if total.outcome is ItemOutcome.CHARGED)
        for one in (some, everybody)
    ]
    assert charged_minor == [2500, 700]


async def test_a_segment_that_changes_after_the_members_are_fixed_changes_nothing_in_the_run(
    merchant: Merchant, database: Database
) -> None:
    account = await merchant.account(owes_minor=2500)
    await describe(merchant, account, segment="business")
    await define_some(merchant, segments=["business"])
    run = await freeze(database, SOME)

    await describe(merchant, account, segment="private")
    await freeze(database, SOME)

    assert await frozen(merchant, run) == {account: "2500 EUR, visa 4242"}


async def test_a_definition_without_criteria_leaves_nobody_out(merchant: Merchant, database: Database) -> None:
    account = await merchant.account(owes_minor=2500)
    await describe(merchant, account, segment="business")

    await freeze(database)

    assert await left_out(merchant, RUN) == []
    assert await merchant.value("select criteria from duly.process_runs where id = :run", run=RUN) == {}
