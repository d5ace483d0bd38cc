"""What a rule compared and when its hold is over by itself, and counts of rules per merchant.

Revision ID: 0095
"""

from migrations.run import run_scripts

revision = "0095"
down_revision: str | None = "0091"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0095_ends_of_holds")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the columns and the table")
