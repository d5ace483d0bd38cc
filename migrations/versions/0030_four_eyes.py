"""How a session of the console began, and what waits for another person to approve it.

Revision ID: 0030
"""

from migrations.run import run_scripts

revision = "0030"
down_revision: str | None = "0029"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0030_four_eyes")


def downgrade() -> None:
    raise RuntimeError("who approved what would be forgotten: restore a backup")
