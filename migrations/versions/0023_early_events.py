"""An index of events that wait for the account on which they happened.

Revision ID: 0023
"""

from migrations.run import run_scripts

revision = "0023"
down_revision: str | None = "0022"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0023_early_events")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the index")
