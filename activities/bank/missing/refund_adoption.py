"""Files of refunds that the bank has and a restored database may have forgotten: each refund is written down again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from activities.bank.refund_export import RefundExport
from activities.database import Database, RuleBrokenError
from models.bank.missing.sent_refund import Holder, SentRefund, accounts_of
from models.bank.payee import Payee
from models.imports.columns import SENT_REFUNDS
from models.money import Money
from models.problem import Problem
from models.tables.transactions import FinancialTransactionRow

# References that are looked up at once.
_PAGE = 500


class RefundBecame(StrEnum):
    """What became of a refund that a file names."""

    ADOPTED = "adopted"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class RefundAdopted:
    """A refund of a file, whose it is, and what that did."""

    line: int
    reference: str
    account_id: str
    became: RefundBecame


class RefundAdoption:
    """Lets each refund of a file be the bank's, once. Payees say of an unknown one whose bank account was paid."""

    def __init__(self, database: Database, payees: Mapping[str, Payee], *, actor: str, reason: str) -> None:
        self._database = database
        self._payees = payees
        self._actor = actor
        self._reason = reason

    async def adopt(self, sent: Sequence[SentRefund]) -> list[RefundAdopted | Problem]:
        """Adopt a file's refunds, or return the problem of each that cannot be; what is known stays."""
        accounts = await self._accounts(sent)
        unknown = [one for one in sent if one.reference not in accounts]
        accounts.update(accounts_of(unknown, await self._holders(), set(accounts.values())))
        return [await self._adopt(one, accounts.get(one.reference, "")) for one in sent]

    async def _adopt(self, sent: SentRefund, account_id: str) -> RefundAdopted | Problem:
        if not account_id:
            advice = "give --payees, or adopt a CSV file that names the account"
            problem = f"{sent.reference} is unknown here, and so is whose bank account was paid: {advice}"
            return Problem("account_id", "account_of_refund", problem, SENT_REFUNDS, sent.line)
        try:
            became = await self._database.call(
                "adopt_bank_refund",
                file=sent.file,
                period=sent.period,
                reference=sent.reference,
                account_id=account_id,
                amount_minor=sent.amount.amount_minor,
                currency=sent.amount.currency,
                actor=self._actor,
                reason=self._reason,
            )
        except RuleBrokenError as error:
            field, _, message = str(error).partition(": ")
            return Problem(field, error.type or "refused", message, SENT_REFUNDS, sent.line)
        return RefundAdopted(sent.line, sent.reference, account_id, RefundBecame(became))

    async def _accounts(self, sent: Sequence[SentRefund]) -> dict[str, str]:
        """Return the accounts of the refunds that are known here, or that the file names."""
        known = {one.reference: one.account_id for one in sent if one.account_id}
        reference = FinancialTransactionRow.reference_number
        for start in range(0, len(sent), _PAGE):
            ids = [f"ft_{one.reference[1:]}" for one in sent[start : start + _PAGE] if one.reference not in known]
            query = select(reference, FinancialTransactionRow.account_id)
            rows = await self._database.read(query.where(FinancialTransactionRow.id.in_(ids)))
            known.update({row.reference_number: row.account_id for row in rows})
        return known

    async def _holders(self) -> list[Holder]:
        """Return the accounts of the payees' file, with what is due back to each now."""
        if not self._payees:
            return []
        due = {
            one.account_id: Money(one.refund_minor, one.currency)
            for one in await RefundExport(self._database, actor="system").candidates()
        }
        nothing = Money(0, "EUR")
        return [Holder(one.account_id, one.iban, due.get(one.account_id, nothing)) for one in self._payees.values()]
