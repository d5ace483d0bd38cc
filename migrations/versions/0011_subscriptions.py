"""Subscriptions that are billed by day: their dated changes, and who made them. Changes of accounts are kept as well.

Revision ID: 0011
"""

from migrations.run import run_scripts

revision = "0011"
down_revision: str | None = "0010"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0011_subscriptions")


def downgrade() -> None:
    raise RuntimeError("what subscriptions were billed by would be lost: restore a backup instead")
