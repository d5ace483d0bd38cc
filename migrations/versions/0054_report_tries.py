"""By which execution a report by a calendar was written, so that a repeat of it is no other try.

Revision ID: 0054
"""

from migrations.run import run_scripts

revision = "0054"
down_revision: str | None = "0053"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0054_report_tries")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the column")
