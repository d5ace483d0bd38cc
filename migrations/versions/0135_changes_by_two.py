"""Limits and users are changed by two people, accepted disputes have a limit, and what was counted is used up once.

Revision ID: 0135
"""

from migrations.run import run_scripts

revision = "0135"
down_revision: str | None = "0127"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0135_changes_by_two")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: the next migrate makes its functions")
