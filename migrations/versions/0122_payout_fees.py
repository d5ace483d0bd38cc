"""A bank may keep a fee of a payout that it brings or takes back.

Revision ID: 0122
"""

from migrations.run import run_scripts

revision = "0122"
down_revision: str | None = "0121"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0122_payout_fees")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it books no such fee")
