"""Indices of the transactions that are rare: by kind, what is no invoice or payment, and by state, what is not posted.

Revision ID: 0084
"""

from migrations.indices import build_beside_writers

revision = "0084"
down_revision: str | None = "0083"
branch_labels: str | None = None
depends_on: str | None = None

# A list of them went through all transactions. What everything is full of is found without, and costs no more to post.
_NUMBER = "(cast(substr(id, 4) as bigint))"
INDICES = {
    "transactions_of_rare_kind": f"duly.financial_transactions (classification, {_NUMBER})"
    " where classification not in ('invoice', 'payment')",
    "transactions_of_rare_state": f"duly.financial_transactions (state, {_NUMBER}) where state <> 'posted'",
}


def upgrade() -> None:
    build_beside_writers(INDICES)


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the indices")
