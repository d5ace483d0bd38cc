"""What a page shows is fixed with its attempt, and what is tried out is checked as at its commit.

Revision ID: 0085
"""

from migrations.run import run_scripts

revision = "0085"
down_revision: str | None = "0084"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0085_frozen_pages")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the column and the trigger")
