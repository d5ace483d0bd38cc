"""Supplements: further runs of a closed period, for whom its run did not have.

Revision ID: 0015
"""

from migrations.run import run_scripts

revision = "0015"
down_revision: str | None = "0014"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0015_supplements")


def downgrade() -> None:
    raise RuntimeError("a period with supplements cannot be told from one run twice: restore a backup instead")
