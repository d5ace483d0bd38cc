"""Reports that are written by a calendar, kept, and mailed.

Revision ID: 0041
"""

from migrations.run import run_scripts

revision = "0041"
down_revision: str | None = "0040"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0041_report_schedules")


def downgrade() -> None:
    raise RuntimeError("files that were sent to people would be forgotten: restore a backup")
