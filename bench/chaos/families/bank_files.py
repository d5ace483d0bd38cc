"""The files of a bank: what it reads of a pain.008, and what it answers by pain.002 and camt.053."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

from lxml import etree

_IBAN = "<IBAN>NL91ABNA0417164300</IBAN>"
_CENTS = 100


@dataclass(frozen=True)
class FiledDebit:
    """A debit as a bank reads it: the message that brought it, its end-to-end id, its amount in cents."""

    message: str
    id: str
    amount_minor: int


@dataclass(frozen=True)
class StatementLine:
    """What a bank books: a debit that came in, or one that was taken back for a reason; the amount in cents."""

    reference: str
    debit: str
    amount_minor: int
    returned_because: str = ""


def filed_debits(content: bytes) -> list[FiledDebit]:
    """Read a pain.008 as a bank does."""
    root = etree.fromstring(content)
    message = root.findtext(".//{*}GrpHdr/{*}MsgId") or ""
    return [
        FiledDebit(
            message,
            one.findtext("{*}PmtId/{*}EndToEndId") or "",
            int(Decimal(one.findtext("{*}InstdAmt") or "0") * _CENTS),
        )
        for one in root.iter("{*}DrctDbtTxInf")
    ]


def write_status(file: Path, refused: Iterable[tuple[str, str]]) -> None:
    """Write a pain.002: debits that are refused, each with its reason."""
    parts = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{escape(id)}</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
        f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf></TxInfAndSts>"
        for id, code in refused
    )
    file.write_text(
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        f"<OrgnlPmtInfAndSts>{parts}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>",
        encoding="utf-8",
    )


def write_statement(file: Path, lines: Iterable[StatementLine], day: date) -> None:
    """Write a camt.053 of a day."""
    file.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>{file.stem}</MsgId><CreDtTm>{day}T18:00:00</CreDtTm></GrpHdr>"
        f"<Stmt><Id>{file.stem}</Id><Acct><Id>{_IBAN}</Id></Acct>{''.join(_entry(one, day) for one in lines)}</Stmt>"
        "</BkToCstmrStmt></Document>",
        encoding="utf-8",
    )


def _entry(line: StatementLine, day: date) -> str:
    amount = f"{line.amount_minor // _CENTS}.{line.amount_minor % _CENTS:02d}"
    side = "DBIT" if line.returned_because else "CRDT"
    why = f"<RtrInf><Rsn><Cd>{line.returned_because}</Cd></Rsn></RtrInf>" if line.returned_because else ""
    return (
        f'\n<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
        f"<BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>{line.reference}</AcctSvcrRef><NtryDtls><TxDtls>"
        f"<Refs><EndToEndId>{escape(line.debit)}</EndToEndId></Refs>{why}</TxDtls></NtryDtls></Ntry>"
    )
