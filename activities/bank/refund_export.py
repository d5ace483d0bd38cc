"""The monthly refund of accounts in credit: who is refunded, drafted in one commit (F120)."""

from collections.abc import Sequence
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Row, text

from activities.database import Database
from activities.ledger.client import naming_the_rule
from models.bank.refund_plan import Candidate, period_prefix, refund_key

_CANDIDATES = """
    select a.id as account_id, a.owner_name, a.currency, -b.balance_minor as credit_minor,
        coalesce(r.pending_minor, 0)::bigint as pending_minor, a.state = 'terminated' as is_terminated,
        exists (select from duly.financial_transactions p where p.account_id = a.id and p.classification = 'payment'
            and p.state = 'posted' and p.provider is not null) as has_gateway_payment
    from duly.account_balances b
    join duly.accounts a on a.id = b.account_id and a.kind = 'customer'
    left join lateral (select sum(t.total_minor) as pending_minor from duly.financial_transactions t
        where t.account_id = a.id and t.classification = 'refund' and t.state = 'draft') r on true
    where b.balance_minor < 0 order by a.id
"""

# Keys of a month lie side by side; ';' is the character behind ':'.
_OF_PERIOD = """
    select t.id, t.reference_number, t.account_id, t.currency, t.total_minor, t.state, a.owner_name
    from duly.financial_transactions t join duly.accounts a on a.id = t.account_id
    where t.idempotency_key >= :first and t.idempotency_key < :behind order by t.account_id
"""

# Drafts move nothing and take no lock, so that any number of them is one commit: a month's list is whole, or not there.
_DRAFT = """
    select count(*) from jsonb_to_recordset(:rows) as r (key text, account_id text, amount_minor bigint, currency text)
    cross join lateral duly.create_refund(r.key, r.account_id, r.amount_minor, r.currency, 'bank_transfer',
        p_draft => true, p_issue_reason => :reason, p_origin => 'system', p_actor => :actor) p
"""


class RefundExport:
    """Reads who is in credit, and drafts a month's refunds."""

    def __init__(self, database: Database, *, actor: str) -> None:
        self._database = database
        self._actor = actor

    async def candidates(self) -> list[Candidate]:
        """Return every customer's account in credit."""
        return [Candidate(*tuple(row)) for row in await self._database.rows(_CANDIDATES)]

    async def of_period(self, period: str) -> Sequence[Row[Any]]:
        """Return the refunds that a month's export has drafted, whatever became of them."""
        prefix = period_prefix(period)
        return await self._database.rows(_OF_PERIOD, first=prefix, behind=f"{prefix[:-1]};")

    async def draft(self, period: str, chosen: Sequence[Candidate]) -> None:
        """Draft the refunds of a month, all or none."""
        rows = [
            {
                "key": refund_key(period, one.account_id),
                "account_id": one.account_id,
                "amount_minor": one.refund_minor,
                "currency": one.currency,
            }
            for one in chosen
        ]
        values = {"rows": Jsonb(rows), "reason": f"Negative balance, {period}", "actor": self._actor}
        with naming_the_rule():
            async with self._database.transaction() as connection:
                await connection.execute(text(_DRAFT), values)
