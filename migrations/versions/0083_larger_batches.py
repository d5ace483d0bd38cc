"""A batch has up to 10,000 vouchers.

Revision ID: 0083
"""

from migrations.run import run_scripts

revision = "0083"
down_revision: str | None = "0082"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0083_larger_batches")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it issues smaller batches")
