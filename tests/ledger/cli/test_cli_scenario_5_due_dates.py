"""Scenario 5: due dates by rule, posting on 20/05: set when left empty, refused outside the rule (F110 to F116).

The company configures its rule with a document, as its accounts receivable definition, and nothing else.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.company import POSTED_ON, Company

RULES = {
    "5a": "day_of_month = 15\nafter_months = 1",
    "5b": "number_of_days = 10",
    "5c": 'number_of_days = 10\nproximity_operator = "minus"\nproximity_days = 5',
}


async def configure(company: Company, folder: Path, scenario: str) -> None:
    path = folder / "rule.toml"
    text = f'[[due_date_rules]]\nid = "scenario"\n{RULES[scenario]}\n[ledger]\ndue_date_rule = "scenario"\n'
    path.write_text(text, encoding="utf-8")
    await company.cli.json("definitions", "apply", str(path), "--actor", "paula", "--reason", f"scenario {scenario}")
    await company.account("a1")


# The manual prints 30/06 for 5b, which its own rule does not give: 10 days after 20/05 is 30/05 (Q1).
@pytest.mark.gate_cases(1)
@pytest.mark.parametrize(
    ("scenario", "by_rule", "allowed", "refused"),
    [
        ("5a", "2026-06-15", ["2026-06-15"], ["2026-05-21", "2026-06-16"]),
        ("5b", "2026-05-30", ["2026-05-30"], ["2026-05-29", "2026-05-31", "2026-06-30"]),
        ("5c", "2026-05-25", ["2026-05-25", "2026-05-28", "2026-05-30"], ["2026-05-24", "2026-05-31"]),
    ],
)
async def test_a_due_date_is_set_by_the_rule_kept_within_it_and_refused_outside(
    company: Company, tmp_path: Path, scenario: str, by_rule: str, allowed: Sequence[str], refused: Sequence[str]
) -> None:
    await configure(company, tmp_path, scenario)
    posting = ("transactions", "create", "invoice", "a1", "--line", "product=plan,price=10", "--posted-on", POSTED_ON)

    left_empty = (await company.invoice("a1"))["due_on"]
    kept = [(await company.invoice("a1", "10", "--due-on", day))["due_on"] for day in allowed]
    errors = [await company.refused(*posting, "--due-on", day) for day in refused]

    assert (left_empty, kept) == (by_rule, allowed)
    assert errors == [[("due_on", "due_date_in_credit_period")]] * len(refused)


async def test_a_draft_is_checked_when_it_is_saved_and_when_it_is_posted(company: Company, tmp_path: Path) -> None:
    await configure(company, tmp_path, "5b")
    words = ("transactions", "create", "invoice", "a1", "--line", "product=plan,price=10", "--draft")

    unsaved = await company.refused(*words, "--posted-on", POSTED_ON, "--due-on", "2026-05-31")
    saved = await company.cli.json(*words, "--posted-on", POSTED_ON, "--due-on", "2026-05-30")
    draft = saved["transaction"]["id"]
    edited = await company.refused("transactions", "edit", draft, "--due-on", "2026-05-31")
    refused = await company.refused("transactions", "post", draft, "--posted-on", "2026-05-21")

    assert unsaved == edited == [("due_on", "due_date_in_credit_period")]

    assert refused == [("due_on", "due_date_in_credit_period")]
