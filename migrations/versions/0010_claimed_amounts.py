"""Claims on an amount: of an invoice, several may ask for a part each.

Revision ID: 0010
"""

from migrations.run import run_scripts

revision = "0010"
down_revision: str | None = "0009"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0010_claimed_amounts")


def downgrade() -> None:
    raise RuntimeError("claims keep invoices from being collected twice: restore a backup instead")
