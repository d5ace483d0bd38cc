"""What the bank answers about files of debits (pain.002): what is refused is declined, the rest waits for money."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from activities.database import Database, RuleBrokenError, one_of
from models.bank.refund_answer import DUPLICATES, AnswerStatus, BankBatchAnswer, BankRefundAnswer
from models.gateway.decline import Decline, DeclineClass, classify
from models.imports.columns import ANSWERS
from models.problem import Problem, refusal
from models.tables.returns import DebitRow

_CODE = re.compile(r"[A-Z]{2}[A-Z0-9]{2}")
# "Reason not specified" (ISO 20022), where the bank gives none.
NO_REASON = "MS03"


class DebitBecame(StrEnum):
    """What an answer did to its debit."""

    REJECTED = "rejected"
    WAITING = "waiting"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class DebitAnswered:
    """A debit that was answered for, and what that did."""

    line: int
    debit: str
    became: DebitBecame
    code: str = ""


def code_of(reason: str) -> str:
    """Return the reason code that a bank's words begin with."""
    found = _CODE.match(reason)
    return found.group() if found else NO_REASON


def suspends_mandate(code: str) -> bool:
    """Say whether a reason leaves the mandate good for nothing until its payer, or a person, has done something."""
    return classify(Decline(code)) in {DeclineClass.HARD, DeclineClass.FRAUD}


class DebitAnswers:
    """Applies answers one by one; each is safe to repeat, and may come before anybody noted the file as sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def apply(self, answer: BankRefundAnswer) -> DebitAnswered | Problem:
        """Apply what is said of one debit. That it is accepted moves no money: its statement does."""
        if answer.status is not AnswerStatus.REJECTED:
            return DebitAnswered(answer.line, answer.reference, DebitBecame.WAITING)
        if answer.is_duplicate:
            what = "the bank has this debit already: see what became of the first, and confirm that"
            return Problem("status", "payment_sent_twice", what, ANSWERS, answer.line)
        code = code_of(answer.reason)
        try:
            became = await self._database.call(
                "refuse_debit", id=answer.reference, code=code, suspends=suspends_mandate(code)
            )
        except RuleBrokenError as error:
            return problem_of_rule(error, ANSWERS, answer.line)
        return DebitAnswered(answer.line, answer.reference, DebitBecame(became), code)

    async def refuse(self, debit: str, code: str) -> DebitBecame:
        """Note what the bank has said of one debit in another way. Raises RefusedError and RuleBrokenError."""
        if not _CODE.fullmatch(code):
            raise refusal("code", "iso_20022_code", "must be the bank's reason of ISO 20022, such as AM04")
        if code in DUPLICATES:
            what = "the bank has this debit already: see what became of the first"
            raise refusal("code", "payment_sent_twice", what)
        return DebitBecame(
            await self._database.call("refuse_debit", id=debit, code=code, suspends=suspends_mandate(code))
        )

    async def apply_batch(self, batch: BankBatchAnswer, answered: Collection[str]) -> Sequence[DebitAnswered | Problem]:
        """Apply what is said of a file, or a part of it, to its debits without an answer of their own."""
        if batch.status is not AnswerStatus.REJECTED:
            return []
        if batch.is_duplicate:
            what = "the bank has this file already: see what it says of the first"
            return [Problem("status", "file_sent_twice", what, ANSWERS, batch.line)]
        code = code_of(batch.reason)
        try:
            done = await self._database.call(
                "refuse_debits_of", named=batch.ids[0] if batch.ids else "", code=code, excepted=list(answered)
            )
        except RuleBrokenError as error:
            return [problem_of_rule(error, ANSWERS, batch.line)]
        return [DebitAnswered(batch.line, one["id"], DebitBecame(one["became"]), code) for one in done]

    async def accounts(self, debits: Collection[str]) -> list[str]:
        """Return whose debits these are."""
        rows = await self._database.read(
            select(DebitRow.account_id).where(one_of(DebitRow.id, sorted(debits))).distinct()
        )
        return sorted(row.account_id for row in rows)


def problem_of_rule(error: RuleBrokenError, source: str, line: int) -> Problem:
    """Return a rule of the database that was broken as a problem: its message begins with the field."""
    field, _, message = error.message.partition(": ")
    return Problem(field, error.type or "refused", message, source, line)
