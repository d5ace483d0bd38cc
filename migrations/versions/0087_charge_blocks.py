"""What is never charged: a list of blocked accounts, cards, e-mail addresses and their domains.

Revision ID: 0087
"""

from migrations.run import run_scripts

revision = "0087"
down_revision: str | None = "0086"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0087_charge_blocks")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the table")
