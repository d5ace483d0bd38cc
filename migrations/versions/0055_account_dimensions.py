"""What region, segment and country an account had until when, so that reports say what was so at a posting.

Revision ID: 0055
"""

from migrations.run import run_scripts

revision = "0055"
down_revision: str | None = "0054"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0055_account_dimensions")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the table")
