"""What reports keep: the recurring revenue of each month, frozen when it is over.

Revision ID: 0026
"""

from migrations.run import run_scripts

revision = "0026"
down_revision: str | None = "0025"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0026_reports")


def downgrade() -> None:
    raise RuntimeError("the recurring revenue of closed months would be lost: restore a backup")
