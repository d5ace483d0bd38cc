"""Users of the console who see the customers of some merchants alone, and whose customer an account is.

Revision ID: 0082
"""

from migrations.run import run_scripts

revision = "0082"
down_revision: str | None = "0081"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0082_merchants_users")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with what was added")
