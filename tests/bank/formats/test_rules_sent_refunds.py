"""Which refunds a file says that the bank has, and whose one is that names nothing but a bank account that was paid."""

from pathlib import Path

import pytest

from activities.bank.missing.sent_refunds import all_refunds_in
from models.bank.missing.sent_refund import Holder, SentRefund, accounts_of
from models.money import Money
from models.problem import RefusedError
from tests.bank.refund_files import file_report
from tests.bank.statements import camt, detail, entry

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


FILE = "2026-11-0123456789abcdef01234567"


@pytest.mark.parametrize(
    "details",
    [
        f"<Btch><MsgId>{FILE}</MsgId><NbOfTxs>2</NbOfTxs></Btch>",
        f"<Btch><PmtInfId>{FILE}-1</PmtInfId></Btch>",
        f"<TxDtls>{detail(end_to_end='R1')}</TxDtls><TxDtls>{detail(end_to_end='R2')}</TxDtls>",
    ],
)
def test_a_whole_file_in_one_line_of_a_statement_is_named_and_costs_no_other_refund(
    tmp_path: Path, details: str
) -> None:
    single = f"<TxDtls>{detail(end_to_end='R7', text='Refund 2026-11')}</TxDtls>"
    lines = (entry("B1", "19.50", side="DBIT", details=details), entry("B2", "7.00", side="DBIT", details=single))

    refunds, whole = all_refunds_in(Path(camt(tmp_path, *lines)))

    assert [one.reference for one in refunds] == ["R7"]
    assert [(one.rule, one.line > 0) for one in whole] == [("file_is_split", True)]


def test_a_file_that_names_no_refund_is_refused(tmp_path: Path) -> None:
    rent = entry("B1", "900.00", side="DBIT", text="rent")
    files = (camt(tmp_path, rent), file_report(tmp_path, group=f"{FILE}=ACSC", batch=""))

    for file in files:
        with pytest.raises(RefusedError) as refused:
            all_refunds_in(Path(file))
        assert [one.rule for one in refused.value.problems] == ["refunds_named"]
