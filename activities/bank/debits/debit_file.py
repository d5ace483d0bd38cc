"""The file by which a bank collects debits: ISO 20022 pain.008, checked against its schema (decision 0192)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from lxml import etree
from sepaxml import SepaDD

from activities.bank.iso20022 import is_valid
from activities.bank.refund_file import sepa_text
from models.bank.debit import Creditor, WrittenDebit
from models.problem import refusal

_NOT_PROVIDED = "NOTPROVIDED"
# The payer has the same mandate and another account, at whichever bank (EPC130-08, AT-24 of the amendment).
_SAME_MANDATE_NEW_ACCOUNT = "SMNDA"


def as_pain_008(id: str, written_at: datetime, creditor: Creditor, debits: Sequence[WrittenDebit]) -> bytes:
    """Return debits as pain.008: the same for the same batch, whenever it is written.

    Raises RefusedError (pain_008_valid) when the schema does not take a field.
    """
    schema = f"pain.008.001.{creditor.version}"
    config = {
        "name": creditor.name,
        "IBAN": creditor.iban,
        "batch": True,
        "creditor_id": creditor.creditor_identifier,
        "currency": "EUR",
        "instrument": creditor.scheme,
    }
    file = SepaDD(config | ({"BIC": creditor.bic} if creditor.bic else {}), schema=schema, clean=True)
    for one in debits:
        payment = {
            "name": one.payer,
            "IBAN": one.iban,
            "amount": one.amount.amount_minor,
            "type": one.sequence_type,
            "collection_date": one.collect_on,
            "mandate_id": one.mandate,
            "mandate_date": one.signed_on,
            "description": one.text or one.id,
            "endtoend_id": one.id,
        }
        file.add_payment(payment | ({"BIC": one.bic} if one.bic else {}))
    document = _finished(file.export(validate=False), id, written_at, debits)
    if not is_valid(document, schema):
        raise refusal("batch", "pain_008_valid", "a name or bank account cannot be written in pain.008")
    return document


def _finished(document: bytes, id: str, written_at: datetime, debits: Sequence[WrittenDebit]) -> bytes:
    root = etree.fromstring(document)
    _name(root, id, written_at, {(one.sequence_type, str(one.collect_on)): one.payment_information for one in debits})
    for agent in root.iter("{*}FinInstnId"):
        if not len(agent):
            _add(_add(agent, "Othr"), "Id").text = _NOT_PROVIDED
    for element in root.iter("{*}Nm", "{*}Ustrd"):
        # What has no letter that SEPA takes must not keep the others of the file back.
        element.text = sepa_text(element.text or "").strip() or _NOT_PROVIDED
    amended = {one.id for one in debits if one.is_amended}
    for debit in root.iter("{*}DrctDbtTxInf"):
        if debit.findtext("{*}PmtId/{*}EndToEndId") in amended:
            _amend(debit)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _name(root: etree._Element, id: str, written_at: datetime, parts: Mapping[tuple[str, str], str]) -> None:
    """Give the message and its payment parts their names: the bank gives them back."""
    header = root.find("{*}CstmrDrctDbtInitn/{*}GrpHdr")
    assert header is not None, "sepaxml writes a header"  # noqa: S101
    _set(header, "MsgId", id)
    _set(header, "CreDtTm", written_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"))
    for information in root.iter("{*}PmtInf"):
        sequence, day = (information.findtext(path) or "" for path in ("{*}PmtTpInf/{*}SeqTp", "{*}ReqdColltnDt"))
        _set(information, "PmtInfId", parts[sequence, day])


def _amend(debit: etree._Element) -> None:
    mandate = debit.find("{*}DrctDbtTx/{*}MndtRltdInf")
    assert mandate is not None, "every debit has its mandate"  # noqa: S101
    _add(mandate, "AmdmntInd").text = "true"
    account = _add(_add(mandate, "AmdmntInfDtls"), "OrgnlDbtrAcct")
    _add(_add(_add(account, "Id"), "Othr"), "Id").text = _SAME_MANDATE_NEW_ACCOUNT


def _add(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, etree.QName(etree.QName(parent).namespace, name))


def _set(parent: etree._Element, name: str, text: str) -> None:
    found = parent.find(f"{{*}}{name}")
    assert found is not None, "sepaxml writes it"  # noqa: S101
    found.text = text
