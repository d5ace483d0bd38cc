"""What gives value away has limits: credit notes, payments by hand, moves, suspense, wallets, vouchers, statements.

Revision ID: 0120
"""

from migrations.run import run_scripts

revision = "0120"
down_revision: str | None = "0118"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0120_giving_away")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: the next migrate makes its functions")
