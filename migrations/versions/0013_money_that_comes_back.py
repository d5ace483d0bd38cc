"""Money that comes back: payouts from the bank, out of the bank, and disputes that are won after they were lost.

Revision ID: 0013
"""

from migrations.run import run_scripts

revision = "0013"
down_revision: str | None = "0012"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0013_money_that_comes_back")


def downgrade() -> None:
    raise RuntimeError("what the bank took back is in the ledger: restore a backup instead")
