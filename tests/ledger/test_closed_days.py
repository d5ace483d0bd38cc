"""Closed days: nothing is posted there but by who has the right to, and money that has moved is never refused."""

from datetime import UTC, date, datetime, timedelta

import pytest

from models.ledger.refusals import InvalidInputError, LedgerError, PostconditionError, PrerequisiteError
from tests.ledger.books import POSTED_ON, Books, refused

TODAY = datetime.now(UTC).date()
LATER = TODAY + timedelta(days=3)
MAY_31 = date(2026, 5, 31)
JUNE_1 = date(2026, 6, 1)


def close(books: Books, until: date = MAY_31) -> None:
    books.run("select duly.close_books(%s, 'ada', 'May is done')", until)


@pytest.mark.parametrize(
    ("day", "rule"), [(POSTED_ON, "day_is_open"), (MAY_31, "day_is_open"), (LATER, "day_has_come")]
)
def test_nothing_is_posted_on_a_day_that_is_closed_or_has_not_come(books: Books, day: date, rule: str) -> None:
    invoice, payment = books.invoice("i1", "acc_1", 100), books.pay("p1", "acc_1", 30)
    draft = books.pay("p2", "acc_1", 5, draft=True, posted_on=None)
    close(books)

    for ask in (
        lambda: books.invoice("i2", "acc_1", 100, posted_on=day),
        lambda: books.pay("p3", "acc_1", 5, posted_on=day),
        lambda: books.credit_note("n1", "acc_1", 5, posted_on=day),
        lambda: books.call("create_refund", key="r1", account_id="acc_1", amount_minor=1, currency="EUR", method="cash",
                           posted_on=day),
        lambda: books.call("post_draft", transaction_id=draft, posted_on=day),
        lambda: books.call("cancel_invoice", key="c1", invoice_id=invoice, posted_on=day),
        lambda: books.call("cancel_payment", key="c2", payment_id=payment, posted_on=day),
        lambda: books.call("write_off", key="w1", invoice_id=invoice, type_id="write_off", posted_on=day),
        lambda: books.call("move_to_account", key="m1", payment_id=payment, account_id="acc_2", posted_on=day),
        lambda: books.call("quick_pay", key="q1", invoice_id=invoice, method="cash", posted_on=day),
    ):  # fmt: skip
        refused(ask, PostconditionError, rule)
    assert books.balance("acc_1") == 70


def test_a_draft_has_no_day_until_it_is_posted(books: Books) -> None:
    payment = books.pay("p1", "acc_1", 5, draft=True)
    close(books)

    assert books.transaction(payment)["posted_on"] is None
    assert books.call("post_draft", transaction_id=payment).state == "posted"
    assert books.transaction(payment)["posted_on"] == TODAY


@pytest.mark.parametrize("day", [None, "-infinity", "infinity"])
def test_the_books_are_closed_and_opened_on_a_day(books: Books, day: str | None) -> None:
    close(books)

    refused(lambda: books.run("select duly.close_books(%s, 'ada', 'all')", day), InvalidInputError, "day_is_over")
    refused(lambda: books.run("select duly.reopen_books(%s, 'ada', 'x')", day), PrerequisiteError, "day_is_closed")
    assert books.value("select closed_until from duly.closings order by id desc limit 1") == MAY_31


def test_what_names_no_day_or_an_open_one_is_posted(books: Books) -> None:
    close(books)

    assert books.transaction(books.invoice("i1", "acc_1", 100, posted_on=JUNE_1))["posted_on"] == JUNE_1
    assert books.transaction(books.pay("p1", "acc_1", 100, posted_on=None))["posted_on"] == TODAY


def test_money_that_has_moved_goes_to_the_first_open_day_and_its_own_is_kept(books: Books) -> None:
    close(books)

    transfer = books.transaction(
        books.pay("p1", "acc_1", 100, posted_on=None, issued_on=POSTED_ON, method="bank_transfer")
    )
    fee = books.value("select duly.book_gateway_fee('f1', 'stripe', 'EUR', 30, 'ch_1', %s)", POSTED_ON)
    charge = books.transaction(books.charge("c1", "acc_1", 100, "pi_1"))

    assert (transfer["posted_on"], transfer["issued_on"], charge["posted_on"]) == (TODAY, POSTED_ON, TODAY)
    assert books.run("select posted_on, moved_on from duly.gateway_bookings where id = %s", fee) == [
        (JUNE_1, POSTED_ON)
    ]
    assert books.value("select posted_on from duly.transfers where source_id = %s", fee) == JUNE_1


def test_who_has_the_right_posts_there_with_a_reason_that_is_kept(books: Books) -> None:
    close(books)

    def post(key: str, day: date) -> None:
        with books.connection.transaction():
            books.run("select duly.permit_any_day('bob', 'the bank was late')")
            books.pay(key, "acc_1", 5, posted_on=day)

    refused(lambda: post("p1", POSTED_ON), PrerequisiteError, "any_day_right")
    assert books.value("select duly.set_any_day_right('bob', true, 'ada', 'he closes the month')")
    post("p1", POSTED_ON)
    post("p2", LATER)

    assert books.run("select actor, reason from duly.any_day_postings") == [("bob", "the bank was late")] * 2
    refused(lambda: books.pay("p3", "acc_1", 5), PostconditionError, "day_is_open")
    assert not books.value("select duly.set_any_day_right('Bob ', true, 'ada', 'is the same person')")
    books.run("select duly.set_any_day_right('BOB', false, 'ada', 'he has left')")
    refused(lambda: post("p4", POSTED_ON), PrerequisiteError, "any_day_right")


@pytest.mark.parametrize(
    ("call", "error", "rule"),
    [
        ("close_books(current_date, 'ada', 'early')", InvalidInputError, "day_is_over"),
        ("close_books('2026-04-30', 'ada', 'back')", PrerequisiteError, "close_moves_on"),
        ("close_books('2026-06-30', 'ada', '')", InvalidInputError, "reason_given"),
        ("close_books('2026-06-30', '', 'x')", InvalidInputError, "actor_given"),
        ("reopen_books('2026-06-01', 'ada', 'x')", PrerequisiteError, "day_is_closed"),
        ("reopen_books('2026-05-01', 'ada', '')", InvalidInputError, "reason_given"),
        ("set_any_day_right('ada', true, 'ada', 'I may')", PrerequisiteError, "right_by_another"),
        ("set_any_day_right('Ada', true, ' ada', 'I may')", PrerequisiteError, "right_by_another"),
    ],
)
def test_closing_and_reopening_have_rules(books: Books, call: str, error: type[LedgerError], rule: str) -> None:
    close(books)

    refused(lambda: books.run(f"select duly.{call}"), error, rule)


def test_a_reopened_day_takes_postings_again_and_what_was_done_stays(books: Books) -> None:
    close(books)
    books.run("select duly.reopen_books('2026-05-15', 'ada', 'an invoice was forgotten')")

    books.invoice("i1", "acc_1", 100)
    refused(lambda: books.invoice("i2", "acc_1", 100, posted_on=date(2026, 5, 14)), PostconditionError, "day_is_open")

    assert books.run("select closed_until, is_reopening, actor, reason from duly.closings order by id") == [
        (MAY_31, False, "ada", "May is done"),
        (date(2026, 5, 14), True, "ada", "an invoice was forgotten"),
    ]


@pytest.mark.parametrize("table", ["closings", "any_day_rights", "any_day_postings"])
def test_nobody_forges_what_was_closed(owner: Books, books: Books, table: str) -> None:
    close(books)
    books.run("select duly.set_any_day_right('bob', true, 'ada', 'he closes the month')")
    with books.connection.transaction():
        books.run("select duly.permit_any_day('bob', 'late')")

    for statement in (
        f"delete from duly.{table}",
        f"update duly.{table} set actor = 'nobody'",
        f"truncate duly.{table}",
    ):
        with pytest.raises(Exception, match="permission denied"):
            books.run(statement)
        with pytest.raises(Exception, match="append_only"):
            owner.run(statement)
    with pytest.raises(Exception, match="permission denied"):
        books.run(f"insert into duly.{table} (actor, reason) values ('ada', 'x')")


def test_a_posting_that_was_put_on_a_closed_day_is_found(owner: Books) -> None:
    close(owner)
    owner.run("create or replace function duly.open_day(p_posted_on date, p_today date) returns date language sql"
              " as 'select p_posted_on'")  # fmt: skip
    smuggled = owner.invoice("i1", "acc_1", 100)

    assert owner.violations() == [("I18 posted on an open day", smuggled)]


def test_a_draft_s_due_date_is_checked_when_it_is_saved(owner: Books, books: Books) -> None:
    owner.run("update duly.due_date_rules set kind = 'days_after', number_of_days = 10")

    with pytest.raises(PostconditionError, match="due_date_in_credit_period"):
        books.invoice("i1", "acc_1", 1, draft=True, posted_on=None, due_on=TODAY + timedelta(days=11))
    draft = books.invoice("i1", "acc_1", 1, draft=True, posted_on=None, due_on=TODAY + timedelta(days=10))
    with pytest.raises(PostconditionError, match="due_date_in_credit_period"):
        books.call("edit_draft", transaction_id=draft, changes={"due_on": str(TODAY)})
    assert books.call("edit_draft", transaction_id=draft, changes={"category": None}).state == "draft"


def test_a_document_is_issued_at_a_moment(books: Books) -> None:
    moment = datetime(2026, 5, 20, 23, 30, tzinfo=UTC)
    books.open_account("acc_late", time_zone="Asia/Tokyo")

    given = books.transaction(books.invoice("i1", "acc_late", 1, issued_at=moment, posted_on=None))
    on_a_day = books.transaction(books.pay("p1", "acc_1", 1, issued_on=POSTED_ON))
    now = books.transaction(books.pay("p2", "acc_1", 1))

    assert (given["issued_at"], given["issued_on"]) == (moment, date(2026, 5, 21))
    assert (on_a_day["issued_at"], on_a_day["issued_on"]) == (None, POSTED_ON)
    assert now["issued_at"].date() == now["issued_on"] == TODAY
