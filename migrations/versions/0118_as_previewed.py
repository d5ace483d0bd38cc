"""A communication may say that it is sent as it was previewed.

Revision ID: 0118
"""

from migrations.run import run_scripts

revision = "0118"
down_revision: str | None = "0117"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0118_as_previewed")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: the next migrate makes its functions")
