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


IBAN = "<IBAN>DE89370400440532013000</IBAN>"
# What stands around the entries in each message.
_AROUND = {"BkToCstmrStmt": "Stmt", "BkToCstmrAcctRpt": "Rpt", "BkToCstmrDbtCdtNtfctn": "Ntfctn"}
_NAMES = {"BkToCstmrStmt": "camt.053.001", "BkToCstmrAcctRpt": "camt.052.001", "BkToCstmrDbtCdtNtfctn": "camt.054.001"}


def statement(
    *entries: str, id: str = "S1", account: str = IBAN, balances: tuple[str, str] | None = None, head: str = ""
) -> str:
    """Return a statement of an account; balances below zero are the bank's."""
    stated = "".join(
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount.lstrip("-")}</Amt>'
        f"<CdtDbtInd>{'DBIT' if amount.startswith('-') else 'CRDT'}</CdtDbtInd><Dt><Dt>2026-05-20</Dt></Dt></Bal>"
        for code, amount in zip(("OPBD", "CLBD"), balances or (), strict=False)
    )
    return f"<Stmt><Id>{id}</Id>{head}<Acct><Id>{account}</Id></Acct>{stated}{''.join(entries)}\n</Stmt>"


def document(
    *statements: str,
    message: str = "BkToCstmrStmt",
    version: str = "08",
    encoding: str = "UTF-8",
    head: str = "",
) -> str:
    """Return a message of ISO 20022 about accounts."""
    around = _AROUND[message]
    inner = "".join(statements).replace("<Stmt>", f"<{around}>").replace("</Stmt>", f"</{around}>")
    return (
        f'<?xml version="1.0" encoding="{encoding}"?>{head}\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{_NAMES[message]}.{version}"><{message}>'
        "<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-05-20T18:00:00</CreDtTm></GrpHdr>"
        f"{inner}</{message}></Document>"
    )


def camt(folder: Path, *entries: str, version: str = "08", name: str = "statement.xml", **more: Any) -> str:
    """Write a statement as camt.053 of a version."""
    text = document(statement(*entries, **more.get("statement", {})), version=version, head=more.get("head", ""))
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)
