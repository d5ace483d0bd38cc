"""Refund files as tests write and read them."""

from pathlib import Path
from typing import Any

from lxml import etree

from tests.support.company import Company

PAYEES = "account_id,name,iban,bic\n"
PAYER = ("--payer-name", "Company ZX", "--payer-iban", "DE89 3704 0044 0532 0130 00")
IBANS = {"c1": "NL91ABNA0417164300", "c2": "CY17002001280000001200527600", "c3": "BE68539007547034"}


async def in_credit(company: Company, **paid: str) -> None:
    """Open accounts that have paid more than they owe."""
    for account, amount in paid.items():
        await company.account(account)
        await company.payment(account, amount)


def payees(folder: Path, *accounts: str, name: str = "payees.csv") -> str:
    """Write bank details of accounts."""
    rows = "".join(f"{account},Ann of {account},{IBANS[account]},\n" for account in accounts)
    (folder / name).write_text(PAYEES + rows, encoding="utf-8")
    return str(folder / name)


async def exported(company: Company, file: Path, *words: str, period: str = "2026-11") -> dict[str, Any]:
    """Export a month."""
    result: dict[str, Any] = await company.cli.json("refunds", "export", period, str(file), *PAYER, *words)
    return result


def answers(folder: Path, *rows: str, name: str = "answers.csv") -> str:
    """Write the bank's answers as CSV."""
    (folder / name).write_text("reference,status,amount,reason\n" + "".join(f"{row}\n" for row in rows))
    return str(folder / name)


def status_report(folder: Path, *payments: tuple[str, str, str]) -> str:
    """Write the bank's answers as pain.002: reference, status, reason code."""
    parts = "".join(
        f"\n<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
        f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf></TxInfAndSts>"
        for reference, status, code in payments
    )
    (folder / "status.xml").write_text(
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><OrgnlPmtInfAndSts>'
        f"{parts}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    )
    return str(folder / "status.xml")


def file_report(folder: Path, *, group: str = "", batch: str = "", payments: str = "", code: str = "") -> str:
    """Write an answer about whole files as pain.002: name and status of the message, of its batch, and of payments."""
    reason = f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" if code else ""
    message, _, status = group.partition("=")
    of_group = f"<OrgnlMsgId>{message}</OrgnlMsgId>" + (f"<GrpSts>{status}</GrpSts>{reason}" if status else "")
    name, _, status = batch.partition("=")
    inner = f"<OrgnlPmtInfId>{name}</OrgnlPmtInfId><PmtInfSts>{status}</PmtInfSts>{reason}" if batch else ""
    for one in payments.split():
        reference, _, status = one.partition("=")
        status, _, why = status.partition("/")
        own = f"<TxSts>{status}</TxSts>" if status else ""
        own += f"<StsRsnInf><Rsn><Cd>{why}</Cd></Rsn></StsRsnInf>" if why else ""
        inner += f"<TxInfAndSts><OrgnlInstrId>{reference}</OrgnlInstrId>{own}</TxInfAndSts>"
    (folder / "file-status.xml").write_text(
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"><CstmrPmtStsRpt>'
        f"<OrgnlGrpInfAndSts>{of_group}</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts>{inner}</OrgnlPmtInfAndSts>"
        "</CstmrPmtStsRpt></Document>"
    )
    return str(folder / "file-status.xml")


def mt940(folder: Path, amount: str, details: str) -> str:
    """Write a statement of MT940 with one debit, and what stands below its line."""
    (folder / "statement.sta").write_text(
        f":20:S1\n:25:DE89370400440532013000\n:28C:1/1\n:60F:C261120EUR100,00\n:61:2611201120D{amount}NTRFNONREF//B9\n"
        f":86:{details}\n-\n"
    )
    return str(folder / "statement.sta")


def exported_by_a_bank(folder: Path, amount: str, end_to_end: str) -> str:
    """Write the CSV of a German savings bank with one debit."""
    columns = (
        "Auftragskonto", "Buchungstag", "Valutadatum", "Buchungstext", "Verwendungszweck",
        "Kundenreferenz (End-to-End)", "Beguenstigter/Zahlungspflichtiger", "Betrag", "Waehrung", "Info",
    )  # fmt: skip
    row = (
        "DE89370400440532013000", "20.11.26", "20.11.26", "UEBERWEISUNG", "Refund", end_to_end, "Ann", f"-{amount}",
        "EUR", "Umsatz gebucht",
    )  # fmt: skip
    (folder / "export.csv").write_text(f"{';'.join(columns)}\n{';'.join(row)}\n")
    return str(folder / "export.csv")


def transfers(file: Path) -> list[tuple[str, ...]]:
    """Return reference, amount, name and IBAN of each transfer in a pain.001 file."""
    root = etree.fromstring(file.read_bytes())
    paths = ("PmtId/EndToEndId", "Amt/InstdAmt", "Cdtr/Nm", "CdtrAcct/Id/IBAN")
    return [
        tuple(str(one.findtext("/".join(f"{{*}}{part}" for part in path.split("/")))) for path in paths)
        for one in root.iter("{*}CdtTrfTxInf")
    ]


def message_id(file: Path) -> str:
    """Return the id by which a bank knows the file again."""
    return str(etree.fromstring(file.read_bytes()).findtext(".//{*}GrpHdr/{*}MsgId"))
