"""Which customer at each gateway stands for this installation, so that a key of another account is known by it.

Revision ID: 0110
"""

from migrations.run import run_scripts

revision = "0110"
down_revision: str | None = "0109"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0110_gateway_witnesses")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the tables")
