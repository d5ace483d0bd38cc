"""What a platform takes of payments on its merchants' accounts: rules, what each attempt was sent with, and what moved.

Revision ID: 0059
"""

from migrations.run import run_scripts

revision = "0059"
down_revision: str | None = "0058"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0059_application_fees")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the columns")
