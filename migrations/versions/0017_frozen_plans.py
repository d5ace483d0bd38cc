"""What a run's members came to when they were fixed, kept with the run.

Revision ID: 0017
"""

from migrations.run import run_scripts

revision = "0017"
down_revision: str | None = "0016"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0017_frozen_plans")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the column")
