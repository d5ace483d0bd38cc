"""Undoing and completing what is posted: cancel, write off, move, quick pay (F61 to F87)."""

from dataclasses import dataclass
from datetime import date

from activities.ledger.guards import refuse_payment_of_gateway
from activities.ledger.transaction_calls import require_method_of_ours
from commands.ledger.transaction_writer import WriteOptions, transaction_writer
from commands.output import Output
from models.ledger.refusals import PrerequisiteError


@dataclass(frozen=True)
class Because:
    """Type, reason and the like of a correction."""

    type: str | None = None
    reason: str | None = None
    back_office_code: str | None = None
    posted_on: date | None = None
    category: str | None = None


async def cancel(output: Output, identifier: str, because: Because, options: WriteOptions) -> None:
    """Cancel a posted invoice or payment by a new transaction (F61 to F70)."""
    async with transaction_writer(output, options) as writer:
        found = await writer.records.require(identifier)
        if found.classification not in {"invoice", "payment"}:
            named = {"classification": found.classification}
            raise PrerequisiteError("only_invoices_and_payments_are_cancelled", named)
        if found.classification == "payment":
            refuse_payment_of_gateway(found)
        receipt = await writer.ledger.write(
            "cancel_payment" if found.classification == "payment" else "cancel_invoice",
            **{"key": writer.options.key, f"{found.classification}_id": found.id},
            issue_reason=because.reason,
            type_id=because.type,
            back_office_code=because.back_office_code,
            posted_on=because.posted_on,
            actor=writer.options.actor,
        )
        await writer.answer(receipt, found.account_id)


async def write_off(output: Output, identifier: str, because: Because, options: WriteOptions) -> None:
    """Write off what is unsettled of an invoice (F78 to F83)."""
    async with transaction_writer(output, options) as writer:
        found = await writer.records.require(identifier)
        receipt = await writer.ledger.write(
            "write_off",
            key=writer.options.key,
            invoice_id=found.id,
            type_id=because.type,
            issue_reason=because.reason,
            back_office_code=because.back_office_code,
            posted_on=because.posted_on,
            category=because.category,
            actor=writer.options.actor,
        )
        mirrors = await writer.records.counterparts(receipt.transaction_id)
        mirror = {"id": mirrors[0].id, "number": mirrors[0].number, "account_id": mirrors[0].account_id}
        await writer.answer(receipt, found.account_id, write_off_account_invoice=mirror)


async def move(output: Output, identifier: str, account_id: str, because: Because, options: WriteOptions) -> None:
    """Move a posted payment to another account; the gateway is not asked (F75 to F77)."""
    async with transaction_writer(output, options) as writer:
        found = await writer.records.require(identifier)
        receipt = await writer.ledger.write(
            "move_to_account",
            key=writer.options.key,
            payment_id=found.id,
            account_id=account_id,
            posted_on=because.posted_on,
            issue_reason=because.reason,
            actor=writer.options.actor,
        )
        await writer.answer(receipt, found.account_id, account_id)


async def quick_pay(
    output: Output, identifier: str, method: str, because: Because, options: WriteOptions, *, reference: str | None
) -> None:
    """Pay what is unsettled of an invoice; everything but the amount may be chosen (F85 to F87)."""
    async with transaction_writer(output, options) as writer:
        found = await writer.records.require(identifier)
        if not await writer.records.has_key(writer.options.key):
            await require_method_of_ours(writer.database, method)
        receipt = await writer.ledger.write(
            "quick_pay",
            key=writer.options.key,
            invoice_id=found.id,
            method=method,
            posted_on=because.posted_on,
            type_id=because.type,
            payment_reference=reference,
            actor=writer.options.actor,
        )
        await writer.answer(receipt, found.account_id)
