"""The whole configuration has a history, and each document that changed it is kept.

Revision ID: 0024
"""

from migrations.run import run_scripts

revision = "0024"
down_revision: str | None = "0023"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0024_configuration")


def downgrade() -> None:
    raise RuntimeError("who configured what would be lost: restore a backup")
