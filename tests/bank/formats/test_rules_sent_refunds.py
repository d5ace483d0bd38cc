"""Whose a refund is that a file names by nothing but the bank account that was paid."""

import pytest

from models.bank.missing.sent_refund import Holder, SentRefund, accounts_of
from models.money import Money

SHARED, OTHER = "NL91ABNA0417164300", "BE68539007547034"


def paid(reference: str, minor: int, iban: str = SHARED) -> SentRefund:
    return SentRefund(1, "", "2026-11", reference, Money(minor, "EUR"), iban=iban)


def due(account: str, minor: int, iban: str = SHARED) -> Holder:
    return Holder(account, iban, Money(minor, "EUR"))


@pytest.mark.parametrize(
    ("refunds", "holders", "found"),
    [
        ([paid("R1", 700)], [due("c1", 0)], {"R1": "c1"}),
        ([paid("R1", 700)], [due("c1", 700, OTHER)], {}),
        # Exactly what is due is told apart first, in whatever order the file names them.
        ([paid("R1", 700), paid("R2", 500)], [due("c1", 500), due("c2", 100)], {"R1": "c2", "R2": "c1"}),
        ([paid("R1", 700), paid("R2", 700)], [due("c1", 700), due("c2", 700)], {"R1": "c1", "R2": "c2"}),
        # Either may be meant.
        ([paid("R1", 700)], [due("c1", 700), due("c2", 700)], {}),
        ([paid("R1", 700)], [due("c1", 100), due("c2", 200)], {}),
        ([paid("R1", 700), paid("R2", 900)], [due("c1", 100), due("c2", 200)], {}),
    ],
)
def test_a_refund_is_whose_bank_account_was_paid_where_nobody_else_may_be_meant(
    refunds: list[SentRefund], holders: list[Holder], found: dict[str, str]
) -> None:
    assert accounts_of(refunds, holders, set()) == found


def test_an_account_has_one_refund_a_file() -> None:
    assert accounts_of([paid("R1", 700)], [due("c1", 700), due("c2", 100)], {"c1"}) == {"R1": "c2"}


def test_a_file_without_bank_accounts_tells_nobody_s_account() -> None:
    assert accounts_of([paid("R1", 700, "")], [due("c1", 700, "")], set()) == {}
