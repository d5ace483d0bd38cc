"""What the bank answers about refunds: the paid ones are posted, the refused ones rejected, the rest waits (F120)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from activities.bank.refund_export import RefundExport
from activities.database import Database
from activities.ledger.client import Ledger
from activities.ledger.transaction_queries import TransactionQueries
from models.bank.refund_answer import AnswerStatus, BankBatchAnswer, BankRefundAnswer
from models.card_number import without_card_numbers
from models.imports.columns import ANSWERS
from models.ledger.refusal_fields import problem_of
from models.ledger.refusals import LedgerError
from models.money import Money, MoneyError
from models.problem import Problem, RefusedError, refusal


class Became(StrEnum):
    """What an answer did to its refund."""

    POSTED = "posted"
    REJECTED = "rejected"
    PENDING = "pending"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Confirmed:
    """An answer, and what it did."""

    answer: BankRefundAnswer
    became: Became
    account_id: str
    transaction_id: str


class RefundConfirm:
    """Applies answers one by one; each is safe to repeat."""

    def __init__(self, database: Database, *, actor: str, rejection_reason: str) -> None:
        self._records = TransactionQueries(database)
        self._exported = RefundExport(database, actor=actor)
        self._ledger = Ledger(database)
        self._actor = actor
        self._rejection_reason = rejection_reason

    async def apply(self, answer: BankRefundAnswer) -> Confirmed | Problem:
        """Apply one answer, or return the problem with it."""
        try:
            refund = await self._refund_of(answer)
            if answer.is_duplicate and refund.state == "draft":
                problem = "the bank has this payment already: see what became of the first, and confirm that"
                return Problem("status", "payment_sent_twice", problem, ANSWERS, answer.line)
            return Confirmed(answer, await self._apply(answer, refund), refund.account_id, refund.id)
        except LedgerError as error:
            return problem_of(error, source=ANSWERS, line=answer.line)
        except RefusedError as refused:
            first = refused.problems[0]
            return Problem(first.field, first.rule, first.message, ANSWERS, answer.line)

    async def apply_batch(self, batch: BankBatchAnswer, answered: Collection[str]) -> list[Confirmed | Problem]:
        """Apply an answer about a file to each refund of it that has no answer of its own, or return the problem."""
        try:
            refunds = [one for one in await self._refunds_of(batch) if one.reference_number not in answered]
        except RefusedError as refused:
            first = refused.problems[0]
            return [Problem(first.field, first.rule, first.message, ANSWERS, batch.line)]
        single = [
            BankRefundAnswer(batch.line, one.reference_number, batch.status, reason=batch.reason) for one in refunds
        ]
        return [await self.apply(answer) for answer in single]

    async def _refunds_of(self, batch: BankBatchAnswer) -> list[Any]:
        """Return the refunds that an answer is about: those of the month that a file may have held.

        A later file of a month holds what still waits and nobody else, so that what waits now was in each of them.
        """
        if batch.is_duplicate:
            raise refusal("status", "file_sent_twice", "the bank has this file already: see what it says of the first")
        if batch.period:
            found = [*await self._exported.of_period(batch.period)]
        else:
            found = [await self._records.require(reference) for reference in batch.references]
        ended = "rejected" if batch.status is AnswerStatus.REJECTED else "posted"
        waiting, same = ([one for one in found if one.state == state] for state in ("draft", ended))
        if not waiting and not same:
            raise refusal("batch", "batch_exported", f"{' '.join(batch.ids)!r} is no file that an export has written")
        if not batch.amount or _comes_to(batch, waiting):
            return waiting + same
        if _comes_to(batch, waiting + same):
            return waiting + same
        raise refusal("amount", "amount_of_batch", f"{batch.amount} is not what the refunds of the file come to")

    async def pending(self) -> int:
        """Return how many exported refunds the bank has not answered yet."""
        return len(await self._records.drafts_with_key("refund:"))

    async def _apply(self, answer: BankRefundAnswer, refund: Any) -> Became:
        match answer.status:
            case AnswerStatus.PENDING:
                return Became.PENDING
            case AnswerStatus.PAID if refund.state == "posted":
                return Became.UNCHANGED
            case AnswerStatus.PAID:
                # The money has left already: whatever the balance is by now, it has to be booked.
                posting = {"transaction_id": refund.id, "acknowledge_credit_limit": True, "actor": self._actor}
                await self._ledger.write("post_draft", **posting)
                return Became.POSTED
            case AnswerStatus.REJECTED if refund.state == "rejected":
                return Became.UNCHANGED
            case AnswerStatus.REJECTED:
                return await self._reject(answer, refund)

    async def _reject(self, answer: BankRefundAnswer, refund: Any) -> Became:
        rejecting = {"reason_id": self._rejection_reason, "actor": self._actor, "is_bank_answer": True}
        await self._ledger.run("reject_draft", transaction_id=refund.id, **rejecting)
        if answer.reason:
            note = {"author": self._actor, "note": f"the bank: {without_card_numbers(answer.reason)}"}
            await self._ledger.run("add_note", transaction_id=refund.id, **note)
        return Became.REJECTED

    async def _refund_of(self, answer: BankRefundAnswer) -> Any:
        found = await self._records.require(answer.reference)
        if found.classification != "refund" or not found.idempotency_key.startswith("refund:"):
            problem = f"{answer.reference!r} is no refund that was exported"
            raise RefusedError([Problem("reference", "refund_exported", problem)])
        if answer.amount and not _is_amount_of(answer, found):
            problem = f"is not the {Money(found.total_minor, found.currency)} of {answer.reference}"
            raise RefusedError([Problem("amount", "amount_of_refund", problem)])
        return found


def _comes_to(batch: BankBatchAnswer, refunds: Sequence[Any]) -> bool:
    if {one.currency for one in refunds} != {batch.currency}:
        return False
    return Money.parse(batch.amount, batch.currency) == Money(sum(one.total_minor for one in refunds), batch.currency)


def _is_amount_of(answer: BankRefundAnswer, refund: Any) -> bool:
    try:
        paid = Money.parse(answer.amount, answer.currency or refund.currency)
    except MoneyError:
        return False
    return paid == Money(refund.total_minor, refund.currency)
