"""Claims: each invoice has one owner, and an account as many receivables as it likes.

Revision ID: 0008
"""

from migrations.run import run_scripts

revision = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0008_claims")


def downgrade() -> None:
    raise RuntimeError("claims keep invoices from being collected twice: restore a backup instead")
