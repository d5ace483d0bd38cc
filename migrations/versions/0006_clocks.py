"""The quiet period of an attempt by the gateway's own clock.

Revision ID: 0006
"""

from migrations.run import run_scripts

revision = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0006_clocks")


def downgrade() -> None:
    raise RuntimeError("when an attempt was last sent is evidence: restore a backup instead")
