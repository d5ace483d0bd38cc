"""Daily reference rates of exchange, and VAT in the seller's own currency as it was when a document was posted.

Revision ID: 0112
"""

from migrations.run import run_scripts

revision = "0112"
down_revision: str | None = "0110"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0112_exchange_rates")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the tables and the column")
