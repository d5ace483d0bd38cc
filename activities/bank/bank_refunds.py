"""Drafting a month's refunds by bank transfer for its schedule, and keeping the person's decision about their file."""

from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select
from temporalio import activity

from activities.bank.refund_export import DRAFT_SECONDS, RefundExport
from activities.database import Database, RuleBrokenError, SendingHeldError
from models.bank.bank_refunds import BankRefundsDecision, BankRefundsRecord
from models.bank.refund_plan import FileFormat, SkipReason, Terms, against, refund_key
from models.money import Money
from models.tables.returns import BankRefundMonthRow, RefundRulesRow
from models.workflow_ids import bank_refunds_id

# So many accounts of each currency are named to operators: the first ones, to look at.
NAMED = 10
# The rule of the database while files of a gap are missing.
FILES_ARE_KNOWN = "files_are_known"
_RECORD = TypeAdapter(BankRefundsRecord)


class BankRefundActivities:
    """Activities of a month's refunds by bank transfer. Each is one commit, and safe to repeat."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.open_bank_refunds, self.decide_bank_refunds, self.ask_for_bank_release]

    @activity.defn
    async def open_bank_refunds(self, period: str) -> BankRefundsRecord:
        """Draft a month's refunds, once: a month that was drafted before answers with how it stands.

        Bank details come with the file and not before, so nobody is left out for having none here. Raises
        SendingHeldError while files of a gap are missing: what they pay would be drafted again.
        """
        rules = await self._database.read_first(select(RefundRulesRow.bank_file, RefundRulesRow.refunds_credit))
        file_format = FileFormat(rules.bank_file) if rules else FileFormat.PAIN_001
        # What a gateway could send back is left to its runs, where the rule lets them give credit back.
        terms = Terms(file_format, frozenset(), includes_gateway=not (rules and rules.refunds_credit))
        rows = [
            {
                "key": refund_key(period, one.account_id),
                "account_id": one.account_id,
                "amount_minor": one.refund_minor,
                "currency": one.currency,
            }
            for one in await RefundExport(self._database, actor="system").candidates()
            if against(one, terms) in {None, SkipReason.PAYEE_MISSING}
        ]
        try:
            answer = await self._database.call(
                "open_bank_refunds",
                period=period,
                reason=f"Negative balance, {period}",
                refunds={"rows": rows},
                timeout_seconds=DRAFT_SECONDS,
            )
        except RuleBrokenError as error:
            if error.type == FILES_ARE_KNOWN:
                # A person says which files the bank has; then the same call works.
                raise SendingHeldError(str(error)) from error
            raise error.refused or error from error
        return _RECORD.validate_python(answer)

    @activity.defn
    async def decide_bank_refunds(self, decision: BankRefundsDecision) -> BankRefundsRecord:
        """Keep the decision, and with a rejection reject every draft of the month."""
        answer = await self._database.call(
            "decide_bank_refunds",
            period=decision.period,
            state=decision.state,
            actor=decision.actor,
            reason=decision.reason,
            timeout_seconds=DRAFT_SECONDS,
        )
        return _RECORD.validate_python(answer)

    @activity.defn
    async def ask_for_bank_release(self, period: str, time: int) -> None:
        """Write to operators what waits, with its sums by currency; each `time` is one message."""
        waiting = [
            row for row in await RefundExport(self._database, actor="system").of_period(period) if row.state == "draft"
        ]
        by_currency: dict[str, list[Any]] = {}
        for row in waiting:
            by_currency.setdefault(row.currency, []).append(row)
        kinds = [
            {
                "kind": "refunds",
                "state": str(Money(sum(row.total_minor for row in rows), currency)),
                "count": len(rows),
                "objects": [row.account_id for row in rows[:NAMED]],
            }
            for currency, rows in sorted(by_currency.items())
        ]
        found = {"count": len(waiting), "kinds": kinds, "object": period, "workflow": bank_refunds_id(period)}
        await self._database.call("ask_for_bank_release", period=period, time=time, found=found)


async def state_of_month(database: Database, period: str) -> str:
    """Return where a month that a schedule has drafted stands; empty when none has."""
    row = await database.read_first(select(BankRefundMonthRow.state).where(BankRefundMonthRow.period == period))
    return str(row.state) if row else ""
