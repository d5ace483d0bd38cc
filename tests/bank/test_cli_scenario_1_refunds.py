"""Scenario 1: Company ZX refunds accounts with a negative balance every month, by bank transfer (F120)."""

from pathlib import Path

import pytest

from tests.bank.refund_files import answers, exported, in_credit, payees
from tests.support.company import Company


async def test_only_what_the_bank_confirms_changes_balances_and_the_rest_stays_pending(
    company: Company, tmp_path: Path
) -> None:
    await in_credit(company, c1="12.50", c2="7.00", c3="3.00")
    await company.account("owes")
    await company.invoice("owes")

    month = await exported(company, tmp_path / "2026-11.xml", "--payees", payees(tmp_path, "c1", "c2", "c3"))
    first, second, third = (one["reference"] for one in month["refunds"])
    result = await company.cli.json(
        "refunds", "confirm", answers(tmp_path, f"{first},paid,12.50,", f"{second},rejected,,account closed")
    )

    assert [await company.balance(account) for account in ("c1", "c2", "c3", "owes")] == [0, -700, -300, 10000]
    assert [(await company.shown(one))["state"] for one in (first, second, third)] == ["settled", "rejected", "draft"]
    assert result["summary"]["waiting_for_an_answer"] == 1


@pytest.mark.nightly
async def test_the_month_after_takes_up_what_was_refused_and_leaves_what_is_pending(
    company: Company, tmp_path: Path
) -> None:
    await in_credit(company, c1="12.50", c2="7.00")
    known = payees(tmp_path, "c1", "c2")
    month = await exported(company, tmp_path / "2026-11.xml", "--payees", known)
    await company.cli.json("refunds", "confirm", answers(tmp_path, f"{month['refunds'][0]['reference']},rejected,,"))

    following = await exported(company, tmp_path / "2026-12.xml", "--payees", known, period="2026-12")

    assert [one["account_id"] for one in following["refunds"]] == ["c1"]
    assert [(one["account_id"], one["reason"]) for one in following["skipped"]] == [("c2", "refund_pending")]
