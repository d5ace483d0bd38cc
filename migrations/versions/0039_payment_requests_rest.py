"""What becomes of money that comes for a payment request that is over, and files that are attached to requests.

Revision ID: 0039
"""

from migrations.run import run_scripts

revision = "0039"
down_revision: str | None = "0036"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0039_payment_requests_rest")


def downgrade() -> None:
    raise RuntimeError("the files of payment requests would be lost: restore a backup")
