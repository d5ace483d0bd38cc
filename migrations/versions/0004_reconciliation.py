"""Reconciliation: the gateway's movements of money, and in what they differ from the ledger.

Revision ID: 0004
"""

from migrations.run import run_scripts

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0004_reconciliation")


def downgrade() -> None:
    raise RuntimeError("discrepancies and who ended them are evidence: restore a backup instead")
