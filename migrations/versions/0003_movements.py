"""Movements: what must move at the gateway because of what the ledger has posted, and settlement in other currencies.

Revision ID: 0003
"""

from migrations.run import run_scripts

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0003_movements")


def downgrade() -> None:
    raise RuntimeError("movements are evidence: restore a backup instead")
