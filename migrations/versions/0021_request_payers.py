"""Payment requests: hashed links, an amount of the payer's choice, and several payers.

Revision ID: 0021
"""

from migrations.run import run_scripts

revision = "0021"
down_revision: str | None = "0020"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0021_request_payers")


def downgrade() -> None:
    raise RuntimeError("links that were sent would lead nowhere: restore a backup")
