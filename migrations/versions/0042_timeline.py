"""Indexes by account of what an account's timeline has.

Revision ID: 0042
"""

from migrations.run import run_scripts

revision = "0042"
down_revision: str | None = "0041"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0042_timeline")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the indexes")
