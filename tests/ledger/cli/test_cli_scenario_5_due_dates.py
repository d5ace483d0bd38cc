"""Scenario 5: due dates by rule, posting on 20/05: set when left empty, refused outside the rule (F110 to F116)."""

import pytest

from tests.support.company import POSTED_ON, Company

RULES = {
    "5a": "'day_of_month', null, 15, 1, null, null",
    "5b": "'days_after', 10, null, null, null, null",
    "5c": "'days_after', 10, null, null, 'minus', 5",
}


async def account_under(company: Company, scenario: str) -> str:
    await company.run(
        "insert into duly.due_date_rules (id, kind, number_of_days, day_of_month, after_months, proximity_operator,"
        f" proximity_days) values ('scenario', {RULES[scenario]})"
    )
    return await company.account("a1", due_date_rule_id="scenario")


# The manual prints 30/06 for 5b, which its own rule does not give: 10 days after 20/05 is 30/05 (Q1).
@pytest.mark.parametrize(("scenario", "due_on"), [("5a", "2026-06-15"), ("5b", "2026-05-30"), ("5c", "2026-05-25")])
async def test_a_due_date_left_empty_is_set_by_the_rule(company: Company, scenario: str, due_on: str) -> None:
    await account_under(company, scenario)

    assert (await company.invoice("a1"))["due_on"] == due_on


@pytest.mark.parametrize(
    ("scenario", "due_on"),
    [("5a", "2026-06-15"), ("5b", "2026-05-30"), ("5c", "2026-05-25"), ("5c", "2026-05-28"), ("5c", "2026-05-30")],
)
async def test_a_due_date_within_the_rule_is_kept(company: Company, scenario: str, due_on: str) -> None:
    await account_under(company, scenario)

    assert (await company.invoice("a1", "10", "--due-on", due_on))["due_on"] == due_on


@pytest.mark.parametrize(
    ("scenario", "due_on"),
    [
        ("5a", "2026-05-21"),
        ("5a", "2026-06-16"),
        ("5b", "2026-05-29"),
        ("5b", "2026-05-31"),
        ("5b", "2026-06-30"),
        ("5c", "2026-05-24"),
        ("5c", "2026-05-31"),
    ],
)
async def test_a_due_date_outside_the_rule_is_an_error(company: Company, scenario: str, due_on: str) -> None:
    await account_under(company, scenario)
    line = ("--line", "product=plan,price=10")

    refused = await company.refused(
        "transactions", "create", "invoice", "a1", *line, "--posted-on", POSTED_ON, "--due-on", due_on
    )

    assert refused == [("due_on", "due_date_in_credit_period")]


async def test_a_draft_is_checked_when_it_is_posted(company: Company) -> None:
    await account_under(company, "5b")
    draft = await company.invoice("a1", "10", "--draft", "--due-on", "2026-05-31")

    refused = await company.refused("transactions", "post", draft["id"], "--posted-on", POSTED_ON)

    assert refused == [("due_on", "due_date_in_credit_period")]
