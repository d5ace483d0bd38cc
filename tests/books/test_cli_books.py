"""Closing the books from the command line, and who posts there all the same."""

import pytest

from tests.support.company import POSTED_ON, Company

CASH = ("--method", "cash")
WHY = ("--reason", "May is done")


async def closed(company: Company) -> None:
    if not await company.value("select count(*) from duly.accounts where id = 'a1'"):
        await company.account("a1")
    await company.cli.json("books", "close", "2026-05-31", "--actor", "ada", *WHY)


async def test_a_closed_month_takes_no_posting_and_says_how_one_may(company: Company) -> None:
    await closed(company)
    words = ("transactions", "create", "payment", "a1", "--amount", "5", *CASH, "--posted-on", POSTED_ON)

    refused = await company.cli(*words)

    assert refused.exit_code == 1
    assert refused.stderr.endswith(
        "the books are closed until 2026-05-31; who has the right gives `--any-day WHY` (day_is_open)\n"
    )
    assert await company.refused(*words, "--any-day", "late", "--actor", "bob") == [("any_day", "any_day_right")]


async def test_who_has_the_right_posts_there_with_a_reason(company: Company) -> None:
    await company.account("a1")
    invoice = await company.invoice("a1", "20.00")
    await closed(company)
    await company.cli.json("books", "grant", "bob", "--actor", "ada", "--reason", "he closes the month")
    late = ("--posted-on", POSTED_ON, "--any-day", "the bank was late", "--actor", "bob")

    await company.create("payment", "a1", "--amount", "5", *CASH, *late)
    await company.cli.json("transactions", "quick-pay", invoice["number"], *CASH, *late)

    shown = await company.cli.json("books", "show")
    assert (shown["closed_until"], shown["holders"]) == ("2026-05-31", ["bob"])
    assert [(one["actor"], one["reason"]) for one in shown["postings"]] == [("bob", "the bank was late")] * 2
    assert await company.balance("a1") == 0


async def test_a_right_is_a_persons_however_the_name_is_written_until_the_user_is_disabled(company: Company) -> None:
    await company.account("a1")
    await closed(company)
    who = ("--actor", "ada", "--reason", "he closes the month")
    for holder in ("Bob", "eve"):
        await company.cli.json("books", "grant", holder, *who)
        await company.cli.json("users", "add", holder.lower(), "--role", "accountant", "--generate", *who)
    late = ("--posted-on", POSTED_ON, "--any-day", "the bank was late", "--actor")
    await company.create("payment", "a1", "--amount", "5", *CASH, *late, "BOB")

    await company.cli.json("books", "revoke", "bob", *who)
    await company.cli.json("users", "disable", "eve", *who)

    for holder in ("Bob", "eve"):
        words = ("transactions", "create", "payment", "a1", "--amount", "5", *CASH, *late, holder)
        assert await company.refused(*words) == [("any_day", "any_day_right")]
    assert (await company.cli.json("books", "show"))["holders"] == []


async def test_a_month_is_opened_again_with_a_reason(company: Company) -> None:
    await closed(company)

    assert await company.refused("books", "reopen", "2026-05-10") == [("reason", "reason_given")]
    answer = await company.cli.json(
        "books", "reopen", "2026-05-10", "--actor", "ada", "--reason", "an invoice is missing"
    )

    assert answer == {"closed_until": "2026-05-09", "was": "2026-05-31"}
    assert "reopened" in (await company.cli("books", "show")).stdout


@pytest.mark.parametrize(
    ("moment", "day"),
    [("2026-05-20", "2026-05-20"), ("2026-05-20T23:30+02:00", "2026-05-20"), ("2026-05-20T23:30Z", "2026-05-20")],
)
async def test_a_document_is_issued_on_a_day_or_at_a_moment(company: Company, moment: str, day: str) -> None:
    await company.account("a1")

    made = await company.create("payment", "a1", "--amount", "5", *CASH, "--issued-on", moment)

    assert (made["issued_on"], made["issued_at"] is None) == (day, "T" not in moment)
