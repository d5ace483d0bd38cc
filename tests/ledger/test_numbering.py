"""Numbers of what is posted: without gaps where the law wants it, and where it does not nobody waits for them (F28)."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import date

import psycopg
import pytest

from models.ledger.number_series import NumberSeries
from tests.ledger.books import Books, line

# Other transactions of the server may keep a series with gaps from opening for a moment.
TRIES = 500


@pytest.fixture
def other(database_url: str) -> Iterator[Books]:
    """Somebody else, who does not wait for long."""
    with closing(Books(database_url)) as found:
        found.run("set statement_timeout = '5s'")
        yield found


def numbers(books: Books) -> list[str]:
    return [row[0] for row in books.run("select number from duly.transaction_numbers order by number")]


def number_of(books: Books, transaction_id: str) -> str:
    return str(books.transaction(transaction_id)["number"])


def pay_until_open(books: Books, account: str = "acc_1") -> None:
    """Post payments until their numbers come from the sequence."""
    for number in range(TRIES):
        books.pay(f"open/{number}", account, 1)
        if books.value("select is_open from duly.number_counters where stem = 'PAY'"):
            return
    raise AssertionError(f"the series is not open after {TRIES} payments")


def number_by(owner: Books, type_id: str, prefix: str, *, per_year: bool = False, gap_free: bool = True) -> None:
    """Number a type by a series of its own."""
    owner.configure(
        f'[[transaction_types]]\nid = "{type_id}"\nprefix = "{prefix}"\n'
        f"per_year = {str(per_year).lower()}\ngap_free = {str(gap_free).lower()}"
    )


def test_a_series_that_came_from_another_cluster_is_opened_in_this_one(books: Books, owner: Books) -> None:
    books.pay("before", "acc_1", 1)
    owner.run("update duly.number_counters set is_open = false, waits_for = '9000000000000000000' where stem = 'PAY'")

    pay_until_open(books)

    given = numbers(books)
    assert given == sorted(set(given))
    assert given[-1] == f"PAY-{len(given):010}"


def test_a_payment_does_not_wait_for_the_commit_of_another(books: Books, other: Books) -> None:
    pay_until_open(books)
    with books.connection.transaction():
        first = number_of(books, books.pay("p1", "acc_1", 1))
        second = number_of(other, other.pay("p2", "acc_2", 1))

    assert first < second


def test_a_payment_that_fails_leaves_a_gap_which_is_no_violation(books: Books) -> None:
    pay_until_open(books)
    with books.connection.transaction(force_rollback=True):
        lost = number_of(books, books.pay("p1", "acc_1", 1))

    kept = number_of(books, books.pay("p1", "acc_1", 1))

    assert int(kept[-10:]) == int(lost[-10:]) + 1
    assert books.violations() == []


def test_an_invoice_waits_for_the_commit_of_another(books: Books, other: Books) -> None:
    other.run("set lock_timeout = '200ms'")

    with books.connection.transaction():
        books.invoice("i1", "acc_1")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.invoice("i2", "acc_2")

    other.invoice("i2", "acc_2")
    assert numbers(books) == ["INV-0000000001", "INV-0000000002"]


def test_an_invoice_that_fails_leaves_no_gap(books: Books) -> None:
    with books.connection.transaction(force_rollback=True):
        books.invoice("i1", "acc_1")

    books.invoice("i1", "acc_1")

    assert numbers(books) == ["INV-0000000001"]


def test_numbers_of_a_series_rise_from_posting_to_posting(books: Books) -> None:
    pay_until_open(books)

    given = [number_of(books, books.pay(f"p{n}", "acc_1", 1)) for n in range(10)]

    assert given == sorted(given)
    assert numbers(books) == [f"PAY-{n:010}" for n in range(1, len(numbers(books)) + 1)]


def test_receipts_may_be_numbered_without_gaps(owner: Books, books: Books) -> None:
    number_by(owner, "payment", "RCP")
    with books.connection.transaction(force_rollback=True):
        books.pay("p1", "acc_1", 1)

    books.pay("p1", "acc_1", 1)

    assert numbers(books) == ["RCP-0000000001"]


def test_a_series_may_begin_anew_each_year_in_which_something_is_posted(owner: Books, books: Books) -> None:
    number_by(owner, "invoice", "INV", per_year=True)
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2025, 12, 31)]

    for number, day in enumerate(days):
        books.invoice(f"i{number}", "acc_1", posted_on=day)

    assert numbers(books) == ["INV2025-0000000001", "INV2025-0000000002", "INV2026-0000000001"]
    assert books.violations() == []


def test_a_series_with_gaps_may_begin_anew_each_year(owner: Books, books: Books) -> None:
    number_by(owner, "payment", "RCP", per_year=True, gap_free=False)
    for number in range(3):
        books.pay(f"p{number}", "acc_1", 1, posted_on=date(2025, 12, 31))
        books.pay(f"n{number}", "acc_1", 1, posted_on=date(2026, 1, 1))

    assert [number for number in numbers(books) if "2026" in number] == [f"RCP2026-{n:010}" for n in (1, 2, 3)]


def test_an_invoice_of_each_type_in_a_batch_has_the_number_of_its_series(owner: Books, books: Books) -> None:
    owner.configure('[[transaction_types]]\nid = "abroad"\nname = "Abroad"\nclassification = "invoice"')
    number_by(owner, "abroad", "EXP")
    batch = [
        {"key": f"i{n}", "account_id": "acc_1", "currency": "EUR", "lines": [line(100)], "type_id": type_id}
        for n, type_id in enumerate(("invoice", "abroad", "abroad", "invoice"))
    ]

    posted = books.run("select number from duly.post_invoices(%s)", json.dumps(batch))

    assert [row[0] for row in posted] == ["INV-0000000001", "EXP-0000000001", "EXP-0000000002", "INV-0000000002"]


def test_a_type_that_names_no_series_has_that_of_its_classification(owner: Books, books: Books) -> None:
    owner.run("update duly.transaction_types set number_prefix = null where id = 'invoice'")

    assert number_of(books, books.invoice("i1", "acc_1")) == "INV-0000000001"


def test_a_sequence_that_stands_behind_the_numbers_given_is_put_forward(owner: Books, books: Books) -> None:
    """As in a copy of the tables without the sequences."""
    pay_until_open(books)
    last = [number_of(books, books.pay(f"p{number}", "acc_1", 1)) for number in range(5)][-1]
    owner.run("select setval('duly.numbers_pay', 1)")

    assert number_of(books, books.pay("p9", "acc_1", 1)) > last


def test_a_series_keeps_its_kind(owner: Books) -> None:
    with pytest.raises(Exception, match="append_only"):
        owner.run("update duly.number_series set is_gap_free = false where prefix = 'INV'")


@pytest.mark.parametrize(
    ("series", "text", "found"),
    [
        (NumberSeries("INV"), "invoice inv 7, thanks", ["INV-0000000007"]),
        (NumberSeries("RE"), "RE-12 RE13", ["RE-0000000012", "RE-0000000013"]),
        (
            NumberSeries("RE", is_per_year=True),
            "re2026-12 RE2027/0000000001",
            ["RE2026-0000000012", "RE2027-0000000001"],
        ),
        (NumberSeries("RE", is_per_year=True), "RE-12", []),
    ],
)
def test_numbers_are_found_in_what_people_write(series: NumberSeries, text: str, found: list[str]) -> None:
    assert list(series.numbers_in(text)) == found
