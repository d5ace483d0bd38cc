"""The button behind a link into the portal may be pressed twice: the page that has used the link up is kept with it.

Revision ID: 0121
"""

from migrations.run import run_scripts

revision = "0121"
down_revision: str | None = "0120"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0121_pressed_twice")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: the next migrate makes its functions")
