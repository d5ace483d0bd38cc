"""Payment requests: payments by a link.

Revision ID: 0020
"""

from migrations.run import run_scripts

revision = "0020"
down_revision: str | None = "0019"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0020_payment_requests")


def downgrade() -> None:
    raise RuntimeError(
        "links that were sent would lead nowhere, and nobody would own what they ask for: restore a backup"
    )
