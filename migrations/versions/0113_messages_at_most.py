"""A communication may say how many letters it is at most.

Revision ID: 0113
"""

from migrations.run import run_scripts

revision = "0113"
down_revision: str | None = "0112"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0113_messages_at_most")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: the next migrate makes its functions")
