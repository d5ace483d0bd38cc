"""Collecting: configuration, runs, gateway requests and attempts, collections, events, messages.

Revision ID: 0002
"""

from migrations.run import run_scripts

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0002_collecting")


def downgrade() -> None:
    raise RuntimeError("requests and attempts are evidence: restore a backup instead")
