"""A payment by hand may be ordered of more than is owed.

Revision ID: 0078
"""

from migrations.run import run_scripts

revision = "0078"
down_revision: str | None = "0073"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0078_prepayments")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the column")
