"""Identity: what an attempt is about and which one of it, from which its idempotency key is made.

Revision ID: 0007
"""

from migrations.run import run_scripts

revision = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0007_identity")


def downgrade() -> None:
    raise RuntimeError("requests and attempts are evidence: restore a backup instead")
