"""Operators are told of bank debits that no statement or answer of the bank has settled in time.

Revision ID: 0051
"""

from migrations.run import run_scripts

revision = "0051"
down_revision: str | None = "0050"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0051_overdue_debits")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the columns")
