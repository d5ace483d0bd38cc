"""Mass actions of the console: what one person does to many objects for one reason.

Revision ID: 0107
"""

from migrations.run import run_scripts

revision = "0107"
down_revision: str | None = "0106"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0107_mass_actions")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the tables")
