"""Mass actions as a list: who carries one out now, and whether somebody has to look at it.

Revision ID: 0108
"""

from migrations.run import run_scripts

revision = "0108"
down_revision: str | None = "0107"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0108_mass_action_list")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the columns")
