"""The file of refunds that a bank executes: ISO 20022 pain.001 or CSV (decisions 0120, 0121)."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from lxml import etree
from sepaxml import SepaTransfer

from activities.bank.iso20022 import is_valid
from models.bank.payee import Payee
from models.bank.refund_answer import message_id_of
from models.bank.refund_plan import PainVersion
from models.money import Money
from models.problem import refusal

# What is written where the bank finds itself by the IBAN.
_NOT_PROVIDED = "NOTPROVIDED"
# The characters that every bank of SEPA takes, and what stands for others; what has none becomes a full stop.
_TAKEN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")
_INSTEAD = {
    "&": "+",
    ";": ",",
    "<": "(",
    ">": ")",
    "[": "(",
    "]": ")",
    "{": "(",
    "}": ")",
    "_": "-",
    '"': "'",
    "`": "'",
}
COLUMNS = ("reference", "account_id", "name", "iban", "bic", "amount", "currency", "description")


@dataclass(frozen=True)
class Instruction:
    """One refund to pay out: the reference comes back in the bank's answer."""

    reference: str
    account_id: str
    amount: Money
    owner_name: str


@dataclass(frozen=True)
class Payer:
    """Your own account, from which refunds are paid."""

    name: str
    iban: str = field(repr=False)
    bic: str = field(default="", repr=False)


def as_csv(instructions: Sequence[Instruction], payees: Mapping[str, Payee], description: str) -> bytes:
    """Return the refunds as CSV; bank details are left empty where none were given."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in instructions:
        payee = payees.get(one.account_id) or Payee(one.account_id, one.owner_name, "")
        amount = str(one.amount).removesuffix(f" {one.amount.currency}")
        details = (payee.name, payee.iban, payee.bic, amount, one.amount.currency, description)
        writer.writerow((one.reference, one.account_id, *details))
    return text.getvalue().encode()


def as_pain_001(
    instructions: Sequence[Instruction],
    payees: Mapping[str, Payee],
    payer: Payer,
    *,
    period: str,
    execute_on: date,
    version: PainVersion = PainVersion.V09,
    month: str = "",
) -> bytes:
    """Return the refunds as pain.001, checked against its schema. Raises RefusedError when a field cannot be sent.

    A bank's code is optional; names and texts have the characters that SEPA takes. `month` is what its id is made of
    where the file holds a part of the month's refunds: a bank that has the whole one refuses it.
    """
    schema = f"pain.001.001.{version}"
    config = {"name": payer.name, "IBAN": payer.iban, "batch": True, "currency": "EUR"}
    transfer = SepaTransfer(config | ({"BIC": payer.bic} if payer.bic else {}), schema=schema, clean=True)
    for one in instructions:
        payee = payees[one.account_id]
        payment = {
            "name": payee.name,
            "IBAN": payee.iban,
            "amount": one.amount.amount_minor,
            "execution_date": execute_on,
            "description": f"Refund {period}",
            "endtoend_id": one.reference,
        }
        transfer.add_payment(payment | ({"BIC": payee.bic} if payee.bic else {}))
    id = message_id_of(period, month or month_content((one.reference, one.amount) for one in instructions))
    document = _finished(transfer.export(validate=False), id)
    if not is_valid(document, schema):
        raise refusal("payees", "pain_001_valid", "a name or bank account cannot be written in pain.001")
    return document


def sepa_text(text: str) -> str:
    """Return a text of ASCII in the characters that every bank of SEPA takes."""
    return "".join(one if one in _TAKEN else _INSTEAD.get(one, ".") for one in text)


def month_content(refunds: Iterable[tuple[str, Money]]) -> str:
    """Return what the id of a month's file is made of: a bank that gets a part of it once more sees that it has it."""
    return "|".join(f"{reference}:{amount}" for reference, amount in refunds)


def _finished(document: bytes, id: str) -> bytes:
    """Give the message its ids.

    An agent without a code says so, since an empty element is none, and texts have no character that a bank refuses.
    """
    root = etree.fromstring(document)
    for agent in root.iter("{*}FinInstnId"):
        if not len(agent):
            other = etree.SubElement(agent, agent.tag.replace("FinInstnId", "Othr"))
            etree.SubElement(other, agent.tag.replace("FinInstnId", "Id")).text = _NOT_PROVIDED
    for element in root.iter("{*}Nm", "{*}Ustrd"):
        # What has no letter that SEPA takes must not keep the others of the file back.
        element.text = sepa_text(element.text or "").strip() or _NOT_PROVIDED
    for name in ("GrpHdr/MsgId", "PmtInf/PmtInfId"):
        path = "{*}CstmrCdtTrfInitn/" + "/".join(f"{{*}}{part}" for part in name.split("/"))
        for place, element in enumerate(root.findall(path), 1):
            element.text = id if name.startswith("GrpHdr") else f"{id}-{place}"
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
