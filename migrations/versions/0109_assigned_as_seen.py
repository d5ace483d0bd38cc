"""Collections are assigned as they were seen: the function of the release before takes less.

Revision ID: 0109
"""

from migrations.run import run_scripts

revision = "0109"
down_revision: str | None = "0108"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0109_assigned_as_seen")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it assigns nothing")
