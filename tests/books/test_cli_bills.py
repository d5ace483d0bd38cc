"""Bills: what an account was billed for a month, with what was brought forward (F162, X56 to X58)."""

from typing import Any

import pytest

from tests.support.company import Company

MONTH = "2026-05"
WHO = ("--actor", "ann", "--reason", "as agreed")


async def billed(company: Company, key: str, net: int, posted_on: str, *, credit: bool = False) -> str:
    """Post a document as the system does; return its id."""
    line = {"product_id": "plan", "quantity": 1, "unit_price_minor": net, "net_minor": net, "total_minor": net}
    function = "create_credit_note" if credit else "create_invoice"
    return str(
        await company.value(
            f"select transaction_id from duly.{function}(:key, 'a1', 'EUR', jsonb_build_array(cast(:line as jsonb)),"
            " p_posted_on => cast(:day as date), p_origin => 'system')",
            key=key,
            line=str(line).replace("'", '"'),
            day=posted_on,
        )
    )


async def may(company: Company, **fields: Any) -> dict[str, Any]:
    """Bill May: 20.00 of before, 100.00 less 10.00 by the system, 5.00 less 15.00 by hand."""
    await company.account("a1", **fields)
    await company.invoice("a1", "20.00", "--posted-on", "2026-04-20", "--due-on", "2026-05-04")
    await billed(company, "m1", 10000, "2026-05-01")
    await billed(company, "m2", 1000, "2026-05-10", credit=True)
    await company.invoice("a1", "5.00")
    await company.create("payment", "a1", "--amount", "15", "--method", "cash", "--posted-on", "2026-05-21")
    await billed(company, "m3", 7000, "2026-06-01")
    bill: dict[str, Any] = await company.cli.json("bills", "make", "a1", MONTH, *WHO)
    return bill


def sums(bill: dict[str, Any]) -> list[int]:
    names = ("brought_forward", "debited", "credited", "invoiced", "credit_notes", "outstanding")
    return [bill[f"{name}_minor"] for name in names]


async def test_a_bill_has_the_balance_brought_forward_and_what_the_system_has_billed(company: Company) -> None:
    bill = await may(company)

    assert sums(bill) == [2000, 500, 1500, 10000, 1000, 10000]
    assert [one["classification"] for one in bill["documents"]] == ["invoice", "credit_note"]
    assert (bill["number"], bill["is_settled"], bill["is_exceptional"]) == ("BIL-0000000001", False, False)
    assert "Brought forward" in (await company.cli("bills", "show", bill["number"])).stdout


async def test_there_is_no_bill_of_a_month_that_has_not_begun(company: Company) -> None:
    await may(company)

    assert await company.refused("bills", "make", "a1", "2062-05", *WHO) == [("period", "period_has_begun")]


async def test_the_next_bill_goes_on_where_the_last_one_ended_and_nothing_is_on_two(company: Company) -> None:
    await may(company)
    again = await company.cli.json("bills", "make", "a1", MONTH, *WHO)
    june = await company.cli.json("bills", "make", "a1", "2026-06", *WHO)

    assert again["number"] == "BIL-0000000001"
    assert sums(june) == [10000, 0, 0, 7000, 0, 17000]
    assert await company.balance("a1") == 17000
    assert await company.refused("bills", "make", "a1", "2026-04", *WHO) == [("period", "bill_after_the_last")]
    shown = (await company.cli.json("bills", "history", "a1"))["bills"]
    assert [one["period"] for one in shown] == ["2026-06", "2026-05"]


async def test_quick_pay_settles_a_bill_once(company: Company) -> None:
    bill = await may(company)
    words = ("bills", "quick-pay", bill["number"], "--method", "cash", "--key", "K1", *WHO)

    paid = await company.cli.json(*words)
    again = await company.cli.json(*words)

    assert (paid["bill"]["unsettled_minor"], paid["bill"]["is_settled"]) == (0, True)
    assert again["payment"] == paid["payment"]
    assert await company.refused(*words[:5], *WHO) == [("bill", "bill_unsettled")]
    assert await company.violations() == []


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize(
    ("fields", "limit", "exceeded"),
    [({}, "89.99", 8999), ({}, "90.00", None), ({"credit_limit_minor": 9999}, "none", 9999)],
)
async def test_a_bill_above_a_limit_is_exceptional(
    company: Company, fields: dict[str, Any], limit: str, exceeded: int | None
) -> None:
    await company.cli.json("bills", "limit", "EUR", limit, *WHO)

    bill = await may(company, **fields)

    assert (bill["is_exceptional"], bill["exceeded_minor"]) == (exceeded is not None, exceeded)
    shown = (await company.cli.json("bills", "history", "--exceptional", "--period", MONTH))["bills"]
    assert len(shown) == (exceeded is not None)


async def test_an_account_without_anything_has_no_bill(company: Company) -> None:
    await company.account("a1")

    assert await company.refused("bills", "make", "a1", MONTH, *WHO) == [("period", "something_to_bill")]
    assert await company.refused("bills", "show", "BIL-0000000009") == [("bill", "bill_exists")]


async def test_a_bill_is_presented_rejected_and_presented_again_by_people_who_say_why(company: Company) -> None:
    made = await may(company)
    number = made["number"]
    steps = ("present", "present", "reject", "present", "confirm")

    answers = [await company.cli.json("bills", step, number, *WHO) for step in steps]

    assert [one["was"] for one in answers] == ["posted", "presented", "presented", "rejected", "presented"]
    assert [one["bill"]["state"] for one in answers] == ["presented", "presented", "rejected", "presented", "confirmed"]
    shown = await company.cli.json("bills", "show", number)
    assert [(one["state"], one["actor"], one["reason"]) for one in shown["steps"]] == [
        (state, "ann", "as agreed") for state in ("presented", "rejected", "presented", "confirmed")
    ]
    assert shown["unsettled_minor"] == made["unsettled_minor"]
    assert len((await company.cli.json("bills", "history", "--state", "confirmed"))["bills"]) == 1
    assert (await company.cli.json("bills", "history", "--state", "posted"))["bills"] == []


async def test_a_bill_is_answered_after_it_was_presented_and_once(company: Company) -> None:
    number = (await may(company))["number"]
    too_soon = await company.refused("bills", "confirm", number, *WHO)
    await company.cli.json("bills", "present", number, *WHO)
    await company.cli.json("bills", "confirm", number, *WHO)

    assert too_soon == [("bill", "bill_steps")]
    assert await company.refused("bills", "reject", number, *WHO) == [("bill", "bill_steps")]
    assert await company.refused("bills", "present", number, *WHO) == [("bill", "bill_steps")]


@pytest.mark.nightly
async def test_bills_are_listed_by_what_became_of_them_a_page_at_a_time(company: Company) -> None:
    bill = await may(company)
    later = await company.cli.json("bills", "make", "a1", "2026-06", *WHO)
    await company.cli.json("bills", "present", bill["number"], "--actor", "ann", "--reason", "mailed")
    await company.cli.json("bills", "quick-pay", bill["number"], "--method", "cash")

    first = await company.cli.json("bills", "list", "--limit", "1")
    second = await company.cli.json("bills", "list", "--limit", "1", "--after", first["next"])
    narrowed = {
        option: [one["number"] for one in (await company.cli.json("bills", "list", *option.split()))["bills"]]
        for option in ("--state presented", "--unsettled", "--period 2026-05", "--account a2", "--exceptional")
    }

    assert [one["number"] for one in first["bills"] + second["bills"]] == [later["number"], bill["number"]]
    assert first["totals"] == [
        {"state": "posted", "currency": "EUR", "rows": 1, "amount_minor": later["outstanding_minor"]},
        {"state": "presented", "currency": "EUR", "rows": 1, "amount_minor": bill["outstanding_minor"]},
    ]
    assert narrowed == {
        "--state presented": [bill["number"]],
        "--unsettled": [later["number"]],
        "--period 2026-05": [bill["number"]],
        "--account a2": [],
        "--exceptional": [],
    }
    assert (await company.cli("bills", "list", "--csv")).stdout.count("BIL-") == 2
