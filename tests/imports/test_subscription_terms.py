"""Subscriptions of a file with a term, a trial or a discount: made as `subscriptions create` makes them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.imports.columns import SUBSCRIPTIONS, cells_of, read_header
from models.imports.rows import ImportReference, read_row
from models.imports.subscriptions import ImportedSubscription
from models.problem import RefusedError
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

HEADER = (
    "subscription_id,account_id,product_id,price,currency,billing_day,starts_on,ends_on,"
    "term,trial_until,discount,discount_until"
)
FIRST = "s1,c1,plan,30.00,EUR,1,2026-01-01,"
REFERENCE = ImportReference(frozenset({"plan"}), frozenset(), frozenset({"UTC"}), frozenset({"en"}))


def read(terms: str) -> ImportedSubscription:
    """Read a row with what is given behind its first columns: end, term, end of the trial, discount and its end."""
    header = read_header(SUBSCRIPTIONS, HEADER.split(","))
    row = read_row(SUBSCRIPTIONS, 2, cells_of(SUBSCRIPTIONS, 2, header, f"{FIRST}{terms}".split(",")), REFERENCE)
    assert isinstance(row, ImportedSubscription)
    return row


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (",,,,", ("month", "", False)),
        (",month,,,", ("month", "", False)),
        (",quarter,,,", ("quarter", "", True)),
        (",,2026-02-01,,", ("month", "", True)),
        (",,,20%,", ("month", "20%", True)),
        (",,,12.50 %,2026-06-01", ("month", "12.5%", True)),
        (",year,,5.00,", ("year", "500", True)),
        (",,,0%,", ("month", "", False)),
    ],
)
def test_a_row_may_have_a_term_a_trial_and_a_discount(terms: str, expected: tuple[str, str, bool]) -> None:
    row = read(terms)

    assert (row.term, row.discount, row.is_billed_by_day) == expected


@pytest.mark.parametrize(
    ("terms", "field", "rule"),
    [
        (",week,,,", "term", "term_exists"),
        (",,2026-01-01,,", "trial_until", "trial_after_start"),
        (",,1.2.2026,,", "trial_until", "day_format"),
        (",,,120%,", "discount", "percent_in_range"),
        (",,,-1.00,", "discount", "amount_not_negative"),
        (",,,some,", "discount", "amount_format"),
        (",,,,2026-06-01", "discount", "discount_given"),
        ("2025-01-01,year,,,", "ends_on", "ends_after_start"),
    ],
)
def test_what_is_no_term_trial_or_discount_is_refused_by_row_and_column(terms: str, field: str, rule: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read(terms)

    assert [(one.line, one.field, one.rule) for one in refused.value.problems] == [(2, field, rule)]


async def test_a_subscription_is_created_with_its_terms_once_and_keeps_them(
    cli: CommandLine, merchant: Merchant, tmp_path: Path
) -> None:
    accounts = written(tmp_path, "accounts.csv")("account_id,owner_name,currency\nc1,Ann,EUR\n")
    subscriptions = written(tmp_path, "subscriptions.csv")
    words = ("accounts", "import", accounts, "--subscriptions")
    file = subscriptions(f"{HEADER}\n{FIRST},quarter,2026-02-01,20%,2027-01-01\n")

    first, again = [(await cli.json(*words, file))["accounts"] for _ in range(2)]
    raised = await cli.json(*words, subscriptions(f"{HEADER}\n{FIRST.replace('30.00', '36.00')},quarter,,,\n"))
    refused = await cli(*words, subscriptions(f"{HEADER}\n{FIRST.replace('30.00', '36.00')},year,,10%,\n"), "--json")

    shown = await cli.json("subscriptions", "show", "s1")
    counted = [{name for name, count in one.items() if count} for one in (first, again, raised["accounts"])]
    assert counted == [{"created"}, {"unchanged"}, {"updated"}]
    assert [(one["kind"], one["price_minor"]) for one in shown["history"]] == [("created", 3000), ("imported", 3600)]
    created = shown["history"][0]
    assert (created["term_months"], created["trial_ends_on"], created["discount_until"]) == (
        3,
        "2026-02-01",
        "2027-01-01",
    )
    assert [(one["field"], one["rule"]) for one in refused.document["problems"]] == [
        ("term", "terms_of_new_subscription"),
        ("discount", "terms_of_new_subscription"),
    ]


def written(folder: Path, name: str) -> Callable[[str], Any]:
    def write(text: str) -> str:
        (folder / name).write_text(text, encoding="utf-8")
        return str(folder / name)

    return write
