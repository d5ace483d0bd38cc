"""The row of a run says whether it is paused or aborted: then no attempt of it is begun.

Revision ID: 0117
"""

from migrations.run import run_scripts

revision = "0117"
down_revision: str | None = "0113"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0117_runs_know_their_steering")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it reads nothing of the column")
