"""Rate: a run's shards and their window follow from it where the definition does not set them.

Revision ID: 0014
"""

from migrations.run import run_scripts

revision = "0014"
down_revision: str | None = "0013"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0014_rate")


def downgrade() -> None:
    raise RuntimeError("a definition may leave out what the release before needs: restore a backup instead")
