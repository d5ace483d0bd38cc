"""`subscriptions`: what an account buys is made, shown, changed and ended, and every day of it is billed once."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from activities.database import Database
from models.period import Period
from tests.subscriptions.by_day import WHO, bill, create, lines
from tests.support.attempts import broken_invariants
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.running_duly import RunningDuly

# Where the accounts of tests are: in the evening it is the next day there, and month.
NICOSIA = ZoneInfo("Europe/Nicosia")


@pytest.fixture
async def account(merchant: Merchant) -> str:
    """An account without a card."""
    return await merchant.account(cards=[])


def outcomes(certificate: dict[str, Any]) -> list[tuple[str, str, int, int]]:
    totals = certificate["totals"]
    return [(one["outcome"], one["reason"], one["members"], one["amount_minor"]) for one in totals]


async def test_a_subscription_is_created_shown_listed_and_ended(
    cli: CommandLine, account: str, merchant: Merchant
) -> None:
    subscription = await create(cli, account, "--id", "s1", "--quantity", "2", "--term", "quarter")

    shown = await cli.json("subscriptions", "show", "s1")
    text = (await cli("subscriptions", "show", "s1")).stdout
    listed = await cli.json("subscriptions", "list", "--account", account)
    ended = await cli.json("subscriptions", "end", "s1", "--on", "2027-03-10", *WHO)
    after = await cli.json("subscriptions", "show", "s1")

    assert subscription == "s1"
    assert (shown["price_minor"], shown["quantity"], shown["term_months"]) == (3000, 2, 3)
    assert shown["next_bill"]["lines"][0]["net_minor"] == 6000
    assert "2 x 30.00 EUR a quarter" in text
    assert [one["id"] for one in listed["subscriptions"]] == ["s1"]
    assert ended["outcome"] == "changed"
    assert after["ends_on"] == "2027-03-10"
    assert [(one["kind"], one["actor"], one["reason"]) for one in after["history"]] == [
        ("created", "maria", "the customer called"),
        ("ended", "maria", "the customer called"),
    ]


async def test_what_was_asked_for_already_is_not_done_again(cli: CommandLine, account: str) -> None:
    words = ("subscriptions", "create", account, "plan", "--price", "30.00", "--starts-on", "2026-11-01", "--id", "s1")
    discount = ("--discount", "12.5%", "--for-periods", "3")

    first = await cli.json(*words, *discount, *WHO)
    again = await cli.json(*words, *discount, *WHO)
    another = await cli(*words, *WHO, "--json")
    ended = await cli.json("subscriptions", "end", "s1", "--on", "2027-01-01", *WHO)
    ended_again = await cli.json("subscriptions", "end", "s1", "--on", "2027-01-01", *WHO)

    assert [first["outcome"], again["outcome"]] == ["created", "unchanged"]
    assert (another.exit_code, another.rules) == (1, [("id", "id_means_one_subscription")])
    assert [ended["outcome"], ended_again["outcome"]] == ["changed", "unchanged"]


async def test_a_change_within_a_billed_period_is_settled_by_the_next_run(
    cli: CommandLine, account: str, merchant: Merchant, database: Database
) -> None:
    await create(cli, account, "--id", "s1", "--quantity", "2")
    first = await bill(database, "2026-11")
    await cli.json("subscriptions", "change", "s1", "--quantity", "1", "--from", "2026-11-11", *WHO)
    await cli.json("subscriptions", "change", "s1", "--quantity", "3", "--from", "2026-11-21", *WHO)

    second = await bill(database, "2026-12")

    assert await lines(merchant, account) == [
        ("invoice", "Plan", 6000),
        (
            "invoice",
            "Plan, 3 x 30.00 EUR a month instead of 2 x 30.00 EUR a month, 2026-11-21 to 2026-11-30: 10 of 30 days",
            1000,
        ),
        ("invoice", "Plan", 9000),
        (
            "credit_note",
            "Plan, 30.00 EUR a month instead of 2 x 30.00 EUR a month, 2026-11-11 to 2026-11-20: 10 of 30 days",
            1000,
        ),
    ]
    assert outcomes(first) == [("billed", "", 1, 7140)]
    assert outcomes(second) == [("billed", "", 1, 11900 - 1190)]
    assert await merchant.balance(account) == 7140 + 11900 - 1190
    assert await broken_invariants(merchant) == []


async def test_an_end_within_a_billed_period_is_credited_to_its_invoice_and_nothing_follows(
    cli: CommandLine, account: str, merchant: Merchant, database: Database
) -> None:
    await create(cli, account, "--id", "s1")
    await bill(database, "2026-11")
    await cli.json("subscriptions", "end", "s1", "--on", "2026-11-16", *WHO)

    certificate, after = await bill(database, "2026-12"), await bill(database, "2027-01")

    addressed = "select addressed_invoice_ids from duly.financial_transactions where classification = 'credit_note'"
    invoice = "select id from duly.financial_transactions where classification = 'invoice'"
    assert await merchant.value(addressed) == [await merchant.value(invoice)]
    assert outcomes(certificate) == [("billed", "", 1, -1785)]
    assert outcomes(after) == []
    assert await merchant.balance(account) == 3570 - 1785
    assert await broken_invariants(merchant) == []


async def test_what_is_called_off_before_it_begins_is_ended_and_never_billed(
    cli: CommandLine, account: str, merchant: Merchant, database: Database
) -> None:
    await cli.json("subscriptions", "create", account, "plan", "--price", "30", "--starts-on", "2199-01-01", *WHO)
    await create(cli, account, "--id", "s1")
    (planned,) = (await cli.json("subscriptions", "list", "--state", "planned"))["subscriptions"]

    await cli.json("subscriptions", "end", planned["id"], *WHO)
    after = await cli.json("subscriptions", "show", planned["id"])
    certificate = await bill(database, "2199-01")

    assert (after["state"], after["ends_on"]) == ("ended", "2199-01-01")
    assert certificate["members"] == 1
    assert "Plan" not in [name for kind, name, _ in await lines(merchant, account) if kind == "credit_note"]


async def test_what_was_billed_of_a_product_that_is_out_of_use_is_credited_and_no_more_of_it_is_charged(
    cli: CommandLine, account: str, merchant: Merchant, database: Database
) -> None:
    await create(cli, account, "--id", "s1")
    await create(cli, account, "--id", "s2")
    await bill(database, "2026-11")
    await cli.json("subscriptions", "end", "s1", "--on", "2026-11-16", *WHO)
    await merchant.run("update duly.products set is_active = false where id = 'plan'")

    certificate = await bill(database, "2026-12")

    assert outcomes(certificate) == [("billed", "", 1, -1785), ("parked", "product_exists", 1, 3000)]
    assert await merchant.balance(account) == 2 * 3570 - 1785
    assert await broken_invariants(merchant) == []


async def test_a_discount_that_ends_after_billing_is_named_on_the_line_of_the_difference(
    cli: CommandLine, account: str, merchant: Merchant, database: Database
) -> None:
    await create(cli, account, "--id", "s1", "--discount", "5.00")
    await bill(database, "2026-11")
    await cli.json("subscriptions", "change", "s1", "--discount", "0%", "--from", "2026-11-11", *WHO)
    await bill(database, "2026-12")

    price = "30.00 EUR a month instead of 30.00 EUR a month (5.00 EUR off)"
    difference = ("invoice", f"Plan, {price}, 2026-11-11 to 2026-11-30: 20 of 30 days", 333)
    assert difference in await lines(merchant, account)


async def test_what_was_changed_within_a_year_is_shown_for_the_run_that_settles_it(
    cli: CommandLine, account: str, database: Database
) -> None:
    month = Period.of(datetime.now(NICOSIA).date())
    await create(cli, account, "--id", "s1", "--term", "year", "--starts-on", month.starts_on.isoformat())
    await bill(database, str(month))

    unchanged = await cli.json("subscriptions", "show", "s1")
    half = ("--price", "15.00", "--from", month.starts_on.isoformat())
    await cli.json("subscriptions", "change", "s1", *half, *WHO)
    shown = await cli.json("subscriptions", "show", "s1")
    certificate = await bill(database, str(month.next()))

    assert unchanged["next_bill"]["period"] == f"{month.starts_on.year + 1}-{month.starts_on.month:02}"
    assert shown["next_bill"]["period"] == str(month.next())
    assert [line["net_minor"] for line in shown["next_bill"]["credited"]] == [1500]
    assert outcomes(certificate) == [("billed", "", 1, -1785)]


async def test_a_paused_subscription_is_not_billed(
    cli: CommandLine, account: str, merchant: Merchant, database: Database
) -> None:
    await create(cli, account, "--id", "s1")
    await bill(database, "2026-11")
    await cli.json("subscriptions", "pause", "s1", "--from", "2026-12-01", "--until", "2027-01-16", *WHO)

    december, january = await bill(database, "2026-12"), await bill(database, "2027-01")

    assert outcomes(december) == [("skipped", "paused", 1, 0)]
    assert [net for _, _, net in await lines(merchant, account)] == [3000, 3000 - 1452]
    assert outcomes(january)[0][0] == "billed"


async def test_a_subscription_of_whole_months_is_billed_by_day_from_its_first_change_on(
    cli: CommandLine, account: str, merchant: Merchant, database: Database
) -> None:
    subscription = await merchant.subscription(account, price_minor=3000)
    await bill(database, "2026-11")

    await cli.json("subscriptions", "change", subscription, "--quantity", "2", "--from", "2026-11-16", *WHO)
    await bill(database, "2026-12")

    assert [net for _, _, net in await lines(merchant, account)] == [3000, 1500, 6000]
    history = (await cli.json("subscriptions", "show", subscription))["history"]
    assert [(one["kind"], one["from_on"]) for one in history] == [("started", "2026-01-01"), ("changed", "2026-11-16")]
    assert await broken_invariants(merchant) == []


async def test_a_price_that_was_imported_after_billing_does_not_change_what_was_billed(
    cli: CommandLine, account: str, merchant: Merchant, database: Database
) -> None:
    subscription = await merchant.subscription(account, price_minor=3000)
    await bill(database, "2026-11")
    await merchant.run("update duly.subscriptions set price_minor = 4500")

    await cli.json("subscriptions", "end", subscription, "--on", "2026-11-21", *WHO)
    await bill(database, "2026-12")

    assert [(kind, net) for kind, _, net in await lines(merchant, account)] == [
        ("invoice", 3000),
        ("credit_note", 1000),
    ]


async def test_a_run_bills_by_day_beside_whole_months_and_its_certificate_adds_up(
    cli: CommandLine, account: str, merchant: Merchant, duly: RunningDuly
) -> None:
    await merchant.subscription(account, price_minor=1000)
    await create(cli, account, "--id", "by_day")
    await create(cli, account, "--id", "trial", "--trial-until", "2027-02-01")
    await create(cli, account, "--id", "team", "--quantity", "3")
    await merchant.run("update duly.products set tax_rate_id = null")

    first = await duly.bill(period="2026-11")
    await cli.json("subscriptions", "end", "team", "--on", "2026-11-16", *WHO)
    second = await duly.bill(period="2026-12")
    printed = await cli.json("runs", "certificate", "billing/plans/2026-12")

    assert [(one.outcome, one.reason, one.members, one.amount_minor) for one in first.totals] == [
        ("billed", "", 3, 1000 + 3000 + 9000),
        ("skipped", "in_trial", 1, 0),
    ]
    assert [(one.outcome, one.reason, one.members, one.amount_minor) for one in second.totals] == [
        ("billed", "", 3, 1000 + 3000 - 4500),
        ("skipped", "in_trial", 1, 0),
    ]
    assert printed["seal"]["holds"]
    assert [bool(item["credit_note_id"]) for item in printed["items"]] == [False, False, True, False]
    assert await merchant.balance(account) == 13000 + 4000 - 4500
    assert await broken_invariants(merchant) == []


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("change", "s1"), ("change", "something_changes")),
        (("change", "s1", "--quantity", "2", "--from", "2026-10-31"), ("from", "change_reaches_back")),
        (("change", "s1", "--term", "year", "--from", "2026-11-11"), ("from", "starts_a_period")),
        (("change", "s1", "--price", "0"), ("price", "amount_positive")),
        (("change", "s1", "--price", "9.999"), ("price", "amount_format")),
        (("change", "s1", "--discount", "101%"), ("discount", "percent_in_range")),
        (
            ("change", "s1", "--discount", "5.00", "--discount-until", "2026-10-01"),
            ("discount_until", "ends_after_start"),
        ),
        (("change", "s1", "--for-periods", "2"), ("discount", "discount_given")),
        (("end", "s1", "--on", "2026-11-01"), ("on", "ends_after_start")),
        (("pause", "s1", "--from", "2026-12-01", "--until", "2026-12-01"), ("until", "ends_after_start")),
        (("end", "nobody"), ("subscription", "subscription_exists")),
        (("change", "s1", "--product", "gold"), ("product", "product_exists")),
    ],
)
async def test_what_makes_no_sense_is_refused_and_nothing_is_written(
    cli: CommandLine, account: str, merchant: Merchant, words: tuple[str, ...], problem: tuple[str, str]
) -> None:
    await create(cli, account, "--id", "s1")

    refused = await cli("subscriptions", *words, *WHO, "--json")

    assert (refused.exit_code, refused.rules) == (1, [problem])
    assert await merchant.value("select count(*) from duly.subscription_changes") == 1


async def test_who_and_why_must_be_said(cli: CommandLine, account: str) -> None:
    refused = await cli(
        "subscriptions", "create", account, "plan", "--price", "1", "--actor", " ", "--reason", "x", "--json"
    )

    assert refused.rules == [("actor", "command_says_who_and_why")]
