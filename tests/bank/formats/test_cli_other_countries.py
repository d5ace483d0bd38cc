"""Files of banks of other countries: what a file credits is always what was posted, in suspense, known, or refused."""

from pathlib import Path
from typing import Any

import pytest

from tests.bank.statements import camt, entry
from tests.support.company import Company

QR = "210000000003139471430009017"


def structured(reference: str, amount: str, *, currency: str, more: str = "") -> str:
    """Return a detail with a reference in its own field, and what stands before it."""
    return (
        f'<TxDtls><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>{more}<RmtInf><Strd><CdtrRefInf>'
        f"<Ref>{reference}</Ref></CdtrRefInf></Strd></RmtInf></TxDtls>"
    )


def swiss_batch() -> list[str]:
    """QR bills of one day in one entry, each less the bank's charge; and one with a charge as a detail of its own."""
    charged = '<Chrgs><TtlChrgsAndTaxAmt Ccy="CHF">1.50</TtlChrgsAndTaxAmt></Chrgs>'
    net = "".join(structured(one, "100.00", currency="CHF", more=charged) for one in ("cust-1001", QR))
    apart = structured("cust-1001", "100.00", currency="CHF") + (
        '<TxDtls><Amt Ccy="CHF">1.50</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>'
    )
    return [entry("B1", "197.00", currency="CHF", details=net), entry("B2", "98.50", currency="CHF", details=apart)]


def exchanged() -> list[str]:
    """A payer's dollars, changed by the bank; and a charge that ate all of a payment."""
    amounts = (
        '<AmtDtls><InstdAmt><Amt Ccy="USD">100.00</Amt></InstdAmt><TxAmt><Amt Ccy="USD">100.00</Amt></TxAmt>'
        '<CntrValAmt><Amt Ccy="CHF">92.00</Amt></CntrValAmt></AmtDtls>'
    )
    text = "<RmtInf><Ustrd>cust-1001</Ustrd></RmtInf>"
    return [
        entry("B1", "92.00", currency="CHF", details=f"<TxDtls>{amounts}{text}</TxDtls>"),
        entry("B2", "0.00", currency="CHF", text="cust-1001"),
    ]


def reversed_lines() -> list[str]:
    """A credit that was taken back, and a debit that was."""
    mark = "<RvslInd>true</RvslInd>"
    return [
        entry("B1", "50.00", currency="CHF", text="cust-1001"),
        entry("B2", "50.00", currency="CHF", side="DBIT", more=mark, text="cust-1001"),
        entry("B3", "7.00", currency="CHF", more=mark, text="cust-1001"),
    ]


def numbers_like_cards() -> list[str]:
    """References of the bank's, and a Norwegian KID, that happen to be written like card numbers."""
    return [
        entry("4111111111111111", "20.00", currency="CHF", text="cust-1001"),
        entry("B2", "21.00", currency="CHF", structured="4111111111111111"),
    ]


# What of each is posted, in suspense, and gone without a payment, in minor units.
FILES: dict[str, tuple[list[str], int, int]] = {
    "swiss batch": (swiss_batch(), 9850, 9850 + 9850),
    "exchanged": (exchanged(), 9200, 0),
    "reversed": (reversed_lines(), 5000, 700),
    "numbers like cards": (numbers_like_cards(), 2000, 2100),
}


def became(document: dict[str, Any]) -> tuple[int, int, int]:
    (money,) = document["money"]
    parts = ("posted", "suspense", "unchanged", "payout", "direct_debit", "refused")
    assert sum(money[f"{part}_minor"] for part in parts) == money["credits_minor"]
    return money["credits_minor"], money["posted_minor"], money["suspense_minor"]


@pytest.mark.parametrize("kind", list(FILES))
async def test_what_a_file_credits_is_posted_or_waits_in_suspense(company: Company, tmp_path: Path, kind: str) -> None:
    entries, posted, suspense = FILES[kind]
    await company.account("cust-1001", "CHF")

    imported = await company.cli("import", "bank", camt(tmp_path, *entries), "--json")

    assert (imported.exit_code, became(imported.document)) == (0, (posted + suspense, posted, suspense))
    assert await company.balance("cust-1001") == -posted
