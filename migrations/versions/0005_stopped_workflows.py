"""Workflows that somebody or something stopped: who, why, and whether what they looked after goes on.

Revision ID: 0005
"""

from migrations.run import run_scripts

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0005_stopped_workflows")


def downgrade() -> None:
    raise RuntimeError("who stopped what is evidence: restore a backup instead")
