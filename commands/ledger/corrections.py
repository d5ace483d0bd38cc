"""Undoing and completing what is posted: cancel, write off, move, quick pay (F61 to F87)."""

from dataclasses import dataclass
from datetime import date

from activities.ledger.guards import refuse_payment_of_gateway
from activities.ledger.transaction_calls import require_method_of_ours
from commands.ledger.transaction_answer import Asked, desk_of
from commands.output import Output
from models.ledger.refusals import PrerequisiteError

CANCELLED_BY = {"invoice": "cancel_invoice", "payment": "cancel_payment"}


@dataclass(frozen=True)
class Because:
    """Type, reason and the like of a correction."""

    type: str | None = None
    reason: str | None = None
    back_office_code: str | None = None
    posted_on: date | None = None


async def cancel(output: Output, word: str, because: Because, asked: Asked) -> None:
    """Cancel a posted invoice or payment by a new transaction (F61 to F70)."""
    async with desk_of(output, asked) as desk:
        found = await desk.records.require(word)
        if found.classification not in CANCELLED_BY:
            named = {"classification": found.classification}
            raise PrerequisiteError("only_invoices_and_payments_are_cancelled", named)
        if found.classification == "payment":
            refuse_payment_of_gateway(found)
        receipt = await desk.ledger.write(
            CANCELLED_BY[found.classification],
            **{"key": desk.asked.key, f"{found.classification}_id": found.id},
            issue_reason=because.reason,
            type_id=because.type,
            back_office_code=because.back_office_code,
            posted_on=because.posted_on,
            actor=desk.asked.actor,
        )
        await desk.answer(receipt, found.account_id)


async def write_off(output: Output, word: str, because: Because, asked: Asked) -> None:
    """Write off what is unsettled of an invoice (F78 to F83)."""
    async with desk_of(output, asked) as desk:
        found = await desk.records.require(word)
        receipt = await desk.ledger.write(
            "write_off",
            key=desk.asked.key,
            invoice_id=found.id,
            type_id=because.type,
            issue_reason=because.reason,
            back_office_code=because.back_office_code,
            posted_on=because.posted_on,
            actor=desk.asked.actor,
        )
        mirrors = await desk.records.counterparts(receipt.transaction_id)
        mirror = {"id": mirrors[0].id, "number": mirrors[0].number, "account_id": mirrors[0].account_id}
        await desk.answer(receipt, found.account_id, write_off_account_invoice=mirror)


async def move(output: Output, word: str, account_id: str, because: Because, asked: Asked) -> None:
    """Move a posted payment to another account; the gateway is not asked (F75 to F77)."""
    async with desk_of(output, asked) as desk:
        found = await desk.records.require(word)
        receipt = await desk.ledger.write(
            "move_to_account",
            key=desk.asked.key,
            payment_id=found.id,
            account_id=account_id,
            posted_on=because.posted_on,
            issue_reason=because.reason,
            actor=desk.asked.actor,
        )
        await desk.answer(receipt, found.account_id, account_id)


async def quick_pay(
    output: Output, word: str, method: str, because: Because, asked: Asked, *, reference: str | None
) -> None:
    """Pay what is unsettled of an invoice; everything but the amount may be chosen (F85 to F87)."""
    async with desk_of(output, asked) as desk:
        found = await desk.records.require(word)
        await require_method_of_ours(desk.database, method)
        receipt = await desk.ledger.write(
            "quick_pay",
            key=desk.asked.key,
            invoice_id=found.id,
            method=method,
            posted_on=because.posted_on,
            type_id=because.type,
            payment_reference=reference,
            actor=desk.asked.actor,
        )
        await desk.answer(receipt, found.account_id)
