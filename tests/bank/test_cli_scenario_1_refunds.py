"""Scenario 1: Company ZX refunds accounts with a negative balance every month, by bank transfer (F120)."""

from pathlib import Path

from tests.bank.refunding import answers, exported, in_credit, payees
from tests.support.shop import Shop


async def test_only_what_the_bank_confirms_changes_balances_and_the_rest_stays_pending(
    shop: Shop, tmp_path: Path
) -> None:
    await in_credit(shop, c1="12.50", c2="7.00", c3="3.00")
    await shop.account("owes")
    await shop.invoice("owes")

    month = await exported(shop, tmp_path / "2026-11.xml", "--payees", payees(tmp_path, "c1", "c2", "c3"))
    first, second, third = (one["reference"] for one in month["refunds"])
    said = await shop.cli.json(
        "refunds", "confirm", answers(tmp_path, f"{first},paid,12.50,", f"{second},rejected,,account closed")
    )

    assert [await shop.balance(account) for account in ("c1", "c2", "c3", "owes")] == [0, -700, -300, 10000]
    assert [(await shop.shown(one))["state"] for one in (first, second, third)] == ["posted", "rejected", "draft"]
    assert said["summary"]["waiting_for_an_answer"] == 1


async def test_the_month_after_takes_up_what_was_refused_and_leaves_what_is_pending(shop: Shop, tmp_path: Path) -> None:
    await in_credit(shop, c1="12.50", c2="7.00")
    known = payees(tmp_path, "c1", "c2")
    month = await exported(shop, tmp_path / "2026-11.xml", "--payees", known)
    await shop.cli.json("refunds", "confirm", answers(tmp_path, f"{month['refunds'][0]['reference']},rejected,,"))

    following = await exported(shop, tmp_path / "2026-12.xml", "--payees", known, period="2026-12")

    assert [one["account_id"] for one in following["refunds"]] == ["c1"]
    assert [(one["account_id"], one["reason"]) for one in following["skipped"]] == [("c2", "refund_pending")]
