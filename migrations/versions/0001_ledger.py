"""The ledger: accounts, financial transactions, transfers, allocations, and the triggers that guard them.

Revision ID: 0001
"""

from migrations.run import run_scripts

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0001_ledger")


def downgrade() -> None:
    raise RuntimeError("posted money is never dropped: restore a backup instead")
