"""Bills by mail: whether a bill is mailed to its account when it is made.

Revision ID: 0079
"""

from migrations.run import run_scripts

revision = "0079"
down_revision: str | None = "0078"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0079_bills_by_mail")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the column")
