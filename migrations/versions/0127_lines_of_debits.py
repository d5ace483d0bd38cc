"""Which line of a statement has brought each bank debit, and which has taken it back.

Revision ID: 0127
"""

from migrations.run import run_scripts

revision = "0127"
down_revision: str | None = "0123"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0127_lines_of_debits")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the tables")
