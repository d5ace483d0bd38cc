"""Providers that answer later: creditors, mandates, and bank debits that a file asks for.

Revision ID: 0032
"""

from migrations.run import run_scripts

revision = "0032"
down_revision: str | None = "0031"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0032_bank_debits")


def downgrade() -> None:
    raise RuntimeError("mandates that payers have signed would be gone: restore a backup")
