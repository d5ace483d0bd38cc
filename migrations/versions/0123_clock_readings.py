"""What workers have seen of the clocks, so that nothing is dated by a wrong one.

Revision ID: 0123
"""

from migrations.run import run_scripts

revision = "0123"
down_revision: str | None = "0122"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0123_clock_readings")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the tables")
