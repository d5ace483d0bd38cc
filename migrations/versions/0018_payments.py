"""Payment preferences with numbers, payments by hand, lists of payments, and more criteria of runs.

Revision ID: 0018
"""

from migrations.run import run_scripts

revision = "0018"
down_revision: str | None = "0017"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0018_payments")


def downgrade() -> None:
    raise RuntimeError("what was paid by hand would be charged by runs as if nobody had: restore a backup instead")
