"""What became of bills once they were made: presented to the account, confirmed or rejected by it (X57).

Revision ID: 0034
"""

from migrations.run import run_scripts

revision = "0034"
down_revision: str | None = "0033"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0034_bill_states")


def downgrade() -> None:
    raise RuntimeError("who presented which bill, and what was answered, would be forgotten: restore a backup")
