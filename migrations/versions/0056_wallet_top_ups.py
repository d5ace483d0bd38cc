"""Top-ups of wallets by runs: their rules, which accounts chose them, and what each run has asked for.

Revision ID: 0056
"""

from migrations.run import run_scripts

revision = "0056"
down_revision: str | None = "0055"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0056_wallet_top_ups")


def downgrade() -> None:
    raise RuntimeError("nobody would know any more which invoices fill a wallet when they are paid: restore a backup")
