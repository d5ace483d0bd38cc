"""Entries of ISO 20022 of which a bank shows a part, and statements of several days."""

from pathlib import Path

import pytest

from tests.bank.statements import detail, document, entry, statement
from tests.bank.test_rules_iso_statements import read, tx


@pytest.mark.parametrize(
    ("shown", "is_unsplit"),
    [
        (tx("60.00", text="cust-1"), True),
        (f"<Btch><NbOfTxs>2</NbOfTxs></Btch><TxDtls>{detail(text='cust-1')}</TxDtls>", True),
        ("<Btch><NbOfTxs>2</NbOfTxs></Btch>", True),
        (tx("100.00", text="cust-1"), False),
        (f"<Btch><NbOfTxs>2</NbOfTxs></Btch>{tx('100.00', text='cust-1')}", False),
        (f"<Btch><NbOfTxs>1</NbOfTxs></Btch><TxDtls>{detail(text='cust-1')}</TxDtls>", False),
        (tx("101.50", text="cust-1"), False),
        (tx("60.00", currency="USD", text="cust-1"), False),
        (tx("99.00", text="cust-1", more='<Chrgs><Rcrd><Amt Ccy="EUR">1.00</Amt></Rcrd></Chrgs>'), False),
    ],
)  # fmt: skip
def test_an_entry_of_which_the_bank_shows_a_part_is_not_that_parts(
    tmp_path: Path, shown: str, is_unsplit: bool
) -> None:
    lines = (entry("B1", "100.00", details=shown), entry("B2", "100.00", details=shown, side="DBIT"))

    came, left = read(tmp_path, document(statement(*lines))).entries

    assert (came.amount_minor, came.is_unsplit) == (10000, is_unsplit)
    assert (left.amount_minor, left.is_unsplit) == (10000, False)


def test_a_statement_of_several_days_opens_with_the_first_and_closes_with_the_last(tmp_path: Path) -> None:
    days = ((1, "OPBD", "5.00"), (1, "CLBD", "12.50"), (2, "OPBD", "12.50"), (2, "CLBD", "25.00"))
    stated = "".join(
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
        f"<Dt><Dt>2026-05-0{day}</Dt></Dt></Bal>"
        for day, code, amount in days
    )

    for balances in (stated, "".join(reversed(stated.replace("</Bal>", "</Bal>|").split("|")))):
        (found,) = read(tmp_path, document(statement(balances, entry("B1", "20.00")))).balances
        assert (found.opening_minor, found.closing_minor, found.problem("bank")) == (500, 2500, None)
