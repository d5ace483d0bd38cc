"""An index of the messages that are not sent, for whoever counts them.

Revision ID: 0012
"""

from migrations.run import run_scripts

revision = "0012"
down_revision: str | None = "0011"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0012_outbox_index")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the index")
