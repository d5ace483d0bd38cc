"""Months of refunds by bank transfer that are drafted by a schedule and wait for a person's release.

Revision ID: 0035
"""

from migrations.run import run_scripts

revision = "0035"
down_revision: str | None = "0028"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0035_bank_refunds")


def downgrade() -> None:
    raise RuntimeError("who released which month's refunds would be forgotten: restore a backup")
