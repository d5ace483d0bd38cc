"""Periods of runs that begin at a time of a day.

Revision ID: 0048
"""

from migrations.run import run_scripts

revision = "0048"
down_revision: str | None = "0044"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0048_interval_periods")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it writes only the periods that it knows")
