"""Months of refunds by bank transfer that are drafted by a schedule and wait for a person's release.

Revision ID: 0033
"""

from migrations.run import run_scripts

revision = "0033"
down_revision: str | None = "0032"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0033_bank_refunds")


def downgrade() -> None:
    raise RuntimeError("who released which month's refunds would be forgotten: restore a backup")
