"""How much a bank may charge for a debit that it takes back, and mandates that expire by the day of collection.

Revision ID: 0040
"""

from migrations.run import run_scripts

revision = "0040"
down_revision: str | None = "0039"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0040_bank_limits")


def downgrade() -> None:
    raise RuntimeError("limits that somebody has set would be forgotten: restore a backup")
