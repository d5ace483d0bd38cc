"""Reading references out of what payers write, and deciding whose money it is."""

from datetime import date

import pytest

from models.bank.entry import BankEntry
from models.bank.payee import IbanError, iban_of
from models.bank.references import is_creditor_reference, stated_references, written_references
from models.bank.refund_answer import AnswerStatus, status_of
from models.bank.refund_plan import Candidate, FileFormat, SkipReason, Terms, against
from models.bank.routing import KnownAccount, KnownInvoice, KnownReferences, Route, SuspenseReason, route
from models.bank.rows import bank_entry, plain_amount
from models.card_number import without_card_numbers
from models.imports.columns import BANK, COLUMNS
from models.problem import RefusedError


def a_line(**fields: object) -> BankEntry:
    given: dict[str, object] = {
        "line": 2, "reference": "B1", "is_credit": True, "amount_minor": 1000, "currency": "EUR",
        "booked_on": date(2026, 5, 20),
    }  # fmt: skip
    return BankEntry(**{**given, **fields})  # type: ignore[arg-type]


KNOWN = KnownReferences(
    accounts={
        "cust-1001": KnownAccount("cust-1001", "EUR", is_terminated=False),
        "cust-1002": KnownAccount("cust-1002", "EUR", is_terminated=False),
    },
    invoices={"INV-0000000007": KnownInvoice("ft_7", "cust-1002", is_posted=True)},
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("INV-0000000007", True),
        ("invoice inv 7, thanks", True),
        ("Inv-0007.", True),
        ("in 2026 I paid 100.00", False),
        ("thank you", False),
    ],
)
def test_an_invoice_is_found_however_people_write_its_number(text: str, found: bool) -> None:
    assert ("INV-0000000007" in set(written_references(a_line(text=text)))) is found


def test_a_reference_that_says_nothing_is_none() -> None:
    assert list(stated_references(a_line(end_to_end_id="NOTPROVIDED", structured_reference="nonref"))) == []


def test_a_creditor_reference_is_believed_when_its_check_digits_are_right() -> None:
    assert is_creditor_reference("RF18 5390 0754 7034")
    assert not is_creditor_reference("RF19 5390 0754 7034")


def test_a_field_for_references_counts_more_than_the_text() -> None:
    line = a_line(structured_reference="cust-1001", text="not cust-1002")

    assert route(line, KNOWN) == Route("cust-1001")


def test_a_text_that_names_two_accounts_names_none() -> None:
    line = a_line(text="cust-1001 INV-7")

    assert route(line, KNOWN).reason is SuspenseReason.ACCOUNT_AMBIGUOUS


def test_an_invoice_that_is_named_is_paid_first() -> None:
    assert route(a_line(text="INV-7 cust-1002"), KNOWN) == Route("cust-1002", ("ft_7",))


def test_two_lines_of_one_reference_at_two_banks_are_two_payments() -> None:
    assert a_line(bank_account="DE1").key != a_line(bank_account="DE2").key


def test_card_numbers_are_taken_out_of_texts_and_other_numbers_stay() -> None:
    assert without_card_numbers("4242-4242-4242-4242, order 12345") == "(number removed), order 12345"


@pytest.mark.parametrize("text", ["DE89 3704 0044 0532 0130 00", "nl91abna0417164300", "CY17002001280000001200527600"])
def test_an_iban_is_read_as_people_write_it(text: str) -> None:
    assert iban_of(text) == text.replace(" ", "").upper()
    assert iban_of(text.replace(" ", "\u00a0")) == iban_of(text)


@pytest.mark.parametrize("text", ["DE88370400440532013000", "DE8937040044053201300", "1234", ""])
def test_a_mistyped_iban_is_refused(text: str) -> None:
    with pytest.raises(IbanError):
        iban_of(text)


def test_only_a_settlement_is_a_payment() -> None:
    paid = {code for code in ("ACCP", "ACSP", "ACTC", "ACWC", "PDNG", "ACSC", "ACCC") if status_of(code) == "paid"}

    assert paid == {"ACSC", "ACCC"}
    assert status_of("RJCT") is AnswerStatus.REJECTED


def test_every_reason_to_leave_an_account_out_is_met() -> None:
    def judged(**fields: object) -> SkipReason | None:
        given: dict[str, object] = {
            "account_id": "c1", "owner_name": "Ann", "currency": "EUR", "credit_minor": 100, "pending_minor": 0,
            "is_terminated": False, "has_gateway_payment": False,
        }  # fmt: skip
        return against(Candidate(**{**given, **fields}), Terms(FileFormat.PAIN_001, frozenset({"c1"})))  # type: ignore[arg-type]

    reasons = (
        judged(is_terminated=True),
        judged(pending_minor=100),
        judged(promotional_minor=100),
        judged(has_gateway_payment=True),
        judged(currency="JPY"),
        judged(account_id="c2"),
    )

    assert set(reasons) == set(SkipReason)
    assert judged() is None


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("-1.234,56", "-1234.56"), ("12,50", "12.50"), ("12,50-", "-12.50"), ("+7,5", "7.5"), ("\u22125", "-5"),
        ("1'234.56", "1234.56"), ("1\u00a0234,56", "1234.56"), ("1,234,567.00", "1234567.00"),
        ("1,234", "1,234"), ("1.234.567", "1.234.567"), ("1,23,4", "1,23,4"), ("-5-", "-5-"), ("0.125", "0.125"),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_its_country_writes_it_where_it_has_one_reading(written: str, amount: str) -> None:
    assert plain_amount(written) == amount


def test_a_row_of_a_german_bank_is_read_with_its_day_and_amount() -> None:
    cells = {column.name: column.default or "" for column in COLUMNS[BANK]}
    cells |= {"bank_reference": "B1", "booked_on": "20.05.2026", "amount": "-1.234,56", "currency": "EUR"}

    entry = bank_entry(2, cells)

    assert (entry.booked_on, entry.signed_minor) == (date(2026, 5, 20), -123456)
    with pytest.raises(RefusedError, match="05/20/2026"):
        bank_entry(2, {**cells, "booked_on": "05/20/2026"})
