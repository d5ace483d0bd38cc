"""Notices of bank debits by mail: how long before, and what becomes of a debit without one in time.

Revision ID: 0061
"""

from migrations.run import run_scripts

revision = "0061"
down_revision: str | None = "0059"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0061_debit_notices")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the columns")
