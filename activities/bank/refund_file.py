"""The file of refunds that a bank executes: ISO 20022 pain.001 or CSV (decisions 0120, 0121)."""

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from lxml import etree
from sepaxml import SepaTransfer
from sepaxml.validation import ValidationError

from models.bank.payee import Payee
from models.money import Money
from models.problem import refusal

SCHEMA = "pain.001.001.09"
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
    description: str,
    execute_on: date,
) -> bytes:
    """Return the refunds as pain.001, checked against its schema. Raises RefusedError when a field cannot be sent."""
    config = {"name": payer.name, "IBAN": payer.iban, "batch": True, "currency": "EUR"}
    transfer = SepaTransfer(config | ({"BIC": payer.bic} if payer.bic else {}), schema=SCHEMA, clean=True)
    for one in instructions:
        payee = payees[one.account_id]
        payment = {
            "name": payee.name,
            "IBAN": payee.iban,
            "amount": one.amount.amount_minor,
            "execution_date": execute_on,
            "description": description,
            "endtoend_id": one.reference,
        }
        transfer.add_payment(payment | ({"BIC": payee.bic} if payee.bic else {}))
    try:
        return _named(transfer.export(validate=True), instructions)
    except ValidationError as error:
        raise refusal("payees", "pain_001_valid", "a name or bank account cannot be written in pain.001") from error


def _named(document: bytes, instructions: Sequence[Instruction]) -> bytes:
    """Give the message ids made of its refunds: a bank that gets the same list twice sees that it is the same."""
    content = "|".join(f"{one.reference}:{one.amount}" for one in instructions)
    id = hashlib.sha256(content.encode()).hexdigest()[:24]
    root = etree.fromstring(document)
    for name in ("GrpHdr/MsgId", "PmtInf/PmtInfId"):
        path = "{*}CstmrCdtTrfInitn/" + "/".join(f"{{*}}{part}" for part in name.split("/"))
        for place, element in enumerate(root.findall(path), 1):
            element.text = id if name.startswith("GrpHdr") else f"{id}-{place}"
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
