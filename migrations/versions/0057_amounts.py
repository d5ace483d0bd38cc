"""An index of transactions by their amount.

Revision ID: 0057
"""

from migrations.indices import build_beside_writers

revision = "0057"
down_revision: str | None = "0056"
branch_labels: str | None = None
depends_on: str | None = None

# Somebody has an amount in hand, from a bank statement or a letter, and looks for its transaction: the newest first.
INDICES = {"transactions_of_amount": "duly.financial_transactions (total_minor, created_at)"}


def upgrade() -> None:
    build_beside_writers(INDICES)


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the index")
