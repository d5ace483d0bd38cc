"""Refunds whose file the bank has, as a person has shown after a restore.

Revision ID: 0044
"""

from migrations.run import run_scripts

revision = "0044"
down_revision: str | None = "0043"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0044_refunds_at_bank")


def downgrade() -> None:
    raise RuntimeError("a release before this one would write refunds that the bank has into a second file")
