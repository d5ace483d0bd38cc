"""An index of the events of disputes by their delivery.

Revision ID: 0043
"""

from migrations.run import run_scripts

revision = "0043"
down_revision: str | None = "0042"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0043_dispute_events")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the index")
