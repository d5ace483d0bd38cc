"""Segments by criteria, templates of communications, who is not written to, and mail about what is posted.

Revision ID: 0053
"""

from migrations.run import run_scripts

revision = "0053"
down_revision: str | None = "0051"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0053_segments_and_communications")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with what is added")
