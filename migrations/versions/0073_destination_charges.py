"""A platform takes payments on its own account for merchants, and passes them on (destination charges).

Revision ID: 0073
"""

from migrations.run import run_scripts

revision = "0073"
down_revision: str | None = "0072"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0073_destination_charges")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the tables")
