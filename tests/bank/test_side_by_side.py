"""One credit goes back once, whoever is asked for it: the bank's file and a gateway's run, side by side."""

import asyncio
from datetime import date
from pathlib import Path

import pytest

from activities.bank.refund_export import RefundExport
from activities.database import Database
from activities.runs.refund_runs import RefundRunActivities
from models.bank.refund_plan import Candidate
from models.runs.refund_run import RefundRunStart
from models.workflow_ids import refund_run_id
from tests.bank.refund_files import answers, exported, in_credit, payees
from tests.fixtures.refunds import RefundClient
from tests.support.company import Company

PERIOD = "2026-11"
RUN = refund_run_id("stripe", "2026-11-26")


async def in_credit_at_the_gateway(refunds: RefundClient, accounts: int) -> list[str]:
    """Customers who paid 7.00 through the gateway and the same again in cash."""
    await refunds.merchant.configure("[refund_rules]\nrefunds_credit = true")
    found = []
    for _ in range(accounts):
        [payment] = await refunds.paid(700)
        account = await refunds.account_of(payment)
        await refunds.merchant.transfer(account, 700)
        found.append(account)
    return found


async def drafted(refunds: RefundClient) -> dict[str, int]:
    """What is to go back to each account, by any way."""
    rows = await refunds.merchant.run(
        "select account_id, sum(total_minor) as minor from duly.financial_transactions"
        " where classification = 'refund' and state = 'draft' group by account_id"
    )
    return {row.account_id: int(row.minor) for row in rows}


async def export(database: Database, candidates: list[Candidate]) -> None:
    await RefundExport(database, actor="clerk").draft(PERIOD, candidates)


async def test_what_the_bank_is_given_after_the_freeze_is_not_reserved_by_the_run(
    refunds: RefundClient, database: Database
) -> None:
    [account] = await in_credit_at_the_gateway(refunds, 1)
    activities = RefundRunActivities(database)
    frozen = await activities.freeze_refund_run(RefundRunStart(RUN, "stripe", date(2026, 11, 26)))

    await export(database, await RefundExport(database, actor="clerk").candidates())
    [member] = await activities.refund_page(RUN, "")

    assert (frozen, member.refunds) == (1, ())
    assert await drafted(refunds) == {account: 700}


async def test_what_a_run_has_reserved_since_the_list_was_read_is_not_given_to_the_bank(
    refunds: RefundClient, database: Database
) -> None:
    [account] = await in_credit_at_the_gateway(refunds, 1)
    listed = await RefundExport(database, actor="clerk").candidates()
    activities = RefundRunActivities(database)
    await activities.freeze_refund_run(RefundRunStart(RUN, "stripe", date(2026, 11, 26)))
    await activities.refund_page(RUN, "")

    await export(database, listed)

    assert [one.refund_minor for one in listed] == [700]
    assert await drafted(refunds) == {account: 700}
    assert await RefundExport(database, actor="clerk").of_period(PERIOD) == []


async def test_both_at_once_give_each_credit_back_once(refunds: RefundClient, database: Database) -> None:
    accounts = await in_credit_at_the_gateway(refunds, 12)
    activities = RefundRunActivities(database)
    await activities.freeze_refund_run(RefundRunStart(RUN, "stripe", date(2026, 11, 26)))
    listed = await RefundExport(database, actor="clerk").candidates()

    await asyncio.gather(
        activities.refund_page(RUN, ""),
        *(export(database, [one]) for one in reversed(listed)),
        activities.refund_page(RUN, ""),
    )

    assert await drafted(refunds) == dict.fromkeys(accounts, 700)


@pytest.mark.nightly
async def test_a_refund_that_is_with_the_bank_is_neither_edited_nor_rejected_by_hand(
    company: Company, tmp_path: Path
) -> None:
    await in_credit(company, c1="136.85", c2="7.00")
    month = await exported(company, tmp_path / "2026-11.xml", "--payees", payees(tmp_path, "c1", "c2"))
    first, second = (one["reference"] for one in month["refunds"])

    assert await company.refused("transactions", "edit", first, "--amount", "36.85") == [
        ("transaction", "bank_decides")
    ]
    assert await company.refused("transactions", "reject", first, "duplicate") == [("transaction", "bank_decides")]
    await company.cli.json("refunds", "confirm", answers(tmp_path, f"{first},paid,136.85,", f"{second},rejected,,"))

    assert [await company.balance(account) for account in ("c1", "c2")] == [0, -700]
    assert [(await company.shown(one))["state"] for one in (first, second)] == ["settled", "rejected"]


async def test_a_draft_of_a_person_is_theirs_as_before(company: Company) -> None:
    await in_credit(company, c1="50.00")
    draft = await company.create("refund", "c1", "--amount", "20.00", "--method", "bank_transfer", "--draft")

    await company.cli.json("transactions", "edit", draft["reference_number"], "--amount", "30.00")
    await company.cli.json("transactions", "reject", draft["reference_number"], "duplicate")

    assert (await company.shown(draft["reference_number"]))["state"] == "rejected"
