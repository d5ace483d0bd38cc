"""Views of the console's lists that a person keeps under a name.

Revision ID: 0106
"""

from migrations.run import run_scripts

revision = "0106"
down_revision: str | None = "0098"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0106_saved_views")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the table")
