"""Wallets: what an account has paid in advance, its transactions, their types, and what each credit was used for.

Revision ID: 0031
"""

from migrations.run import run_scripts

revision = "0031"
down_revision: str | None = "0030"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0031_wallets")


def downgrade() -> None:
    raise RuntimeError("nobody would know any more what accounts have paid in advance: restore a backup")
