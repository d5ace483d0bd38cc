"""Bank files as tests write them."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

CSV = "bank_reference,booked_on,amount,currency,account_id,structured_reference,text,payer,owner_reference\n"


def csv_statement(folder: Path, rows: Iterable[str] | str, *, name: str = "statement.csv") -> str:
    """Write a statement as CSV."""
    body = rows if isinstance(rows, str) else "".join(f"{row}\n" for row in rows)
    (folder / name).write_text(CSV + body, encoding="utf-8")
    return str(folder / name)


def entry(
    reference: str,
    amount: str,
    *,
    currency: str = "EUR",
    side: str = "CRDT",
    status: str = "<Cd>BOOK</Cd>",
    details: str | None = None,
    more: str = "",
    day: date = date(2026, 5, 20),
    **fields: str,
) -> str:
    """Return an entry of camt.053."""
    if details is None:
        details = f"<TxDtls>{detail(**fields)}</TxDtls>"
    return (
        f'\n<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{more}<Sts>{status}</Sts>'
        f"<BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>{reference}</AcctSvcrRef>"
        f"<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def detail(*, text: str = "", structured: str = "", end_to_end: str = "", payer: str = "", amount: str = "") -> str:
    """Return what a detail says of its payment."""
    parts = [f"<Refs><EndToEndId>{end_to_end or 'NOTPROVIDED'}</EndToEndId></Refs>"]
    parts += [f'<Amt Ccy="EUR">{amount}</Amt>'] if amount else []
    parts += [f"<RltdPties><Dbtr><Pty><Nm>{payer}</Nm></Pty></Dbtr></RltdPties>"] if payer else []
    remittance = f"<Ustrd>{text}</Ustrd>" if text else ""
    if structured:
        remittance += f"<Strd><CdtrRefInf><Ref>{structured}</Ref></CdtrRefInf></Strd>"
    return "".join(parts) + (f"<RmtInf>{remittance}</RmtInf>" if remittance else "")


def camt(folder: Path, *entries: str, version: str = "08", name: str = "statement.xml", **more: Any) -> str:
    """Write a statement as camt.053 of a version."""
    head = more.get("head", "")
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt>'
        "<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-05-20T18:00:00</CreDtTm></GrpHdr>"
        "<Stmt><Id>S1</Id><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>"
        f"{''.join(entries)}\n</Stmt></BkToCstmrStmt></Document>"
    )
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)
