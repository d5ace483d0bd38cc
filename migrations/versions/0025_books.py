"""Closed periods, issue dates with their time, who changed what, and bills.

Revision ID: 0025
"""

from migrations.run import run_scripts

revision = "0025"
down_revision: str | None = "0024"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0025_books")


def downgrade() -> None:
    raise RuntimeError("nobody would know any more which days are closed, nor who has changed what: restore a backup")
