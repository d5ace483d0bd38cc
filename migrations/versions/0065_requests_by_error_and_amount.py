"""Indices of rejected requests by their error, and of transactions by amount and currency.

Revision ID: 0065
"""

from alembic import op

from migrations.indices import build_beside_writers

revision = "0065"
down_revision: str | None = "0063"
branch_labels: str | None = None
depends_on: str | None = None

# A rare error among many requests, the newest first. The currency belongs to an amount: 9.99 EUR is not 999 JPY, and
# what is looked for in one is found without reading what there is in the others.
INDICES = {
    "requests_of_error": "duly.gateway_requests (error_code, created_at, id) where error_code <> ''",
    "transactions_of_money": "duly.financial_transactions (total_minor, currency, created_at)",
}


def upgrade() -> None:
    build_beside_writers(INDICES)
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists duly.transactions_of_amount")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the indices")
