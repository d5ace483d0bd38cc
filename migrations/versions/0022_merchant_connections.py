"""Merchants that are paid on Stripe accounts of their own.

Revision ID: 0022
"""

from migrations.run import run_scripts

revision = "0022"
down_revision: str | None = "0021"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0022_merchant_connections")


def downgrade() -> None:
    raise RuntimeError(
        "merchants would stay connected at the gateway, and nobody would know as which account: restore a backup"
    )
