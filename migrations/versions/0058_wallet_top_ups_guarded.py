"""The ledger account of top-ups is guarded at the commit, as clearing of wallets is.

Revision ID: 0058
"""

from migrations.run import run_scripts

revision = "0058"
down_revision: str | None = "0057"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0058_wallet_top_ups_guarded")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the trigger")
