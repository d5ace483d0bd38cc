"""Providers that answer later: creditors, mandates, and bank debits that a file asks for.

Revision ID: 0033
"""

from migrations.run import run_scripts

revision = "0033"
down_revision: str | None = "0028"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0033_bank_debits")


def downgrade() -> None:
    raise RuntimeError("mandates that payers have signed would be gone: restore a backup")
