"""Vouchers: their types, batches, the hashes of their codes, what moved them, and what ended each.

Revision ID: 0035
"""

from migrations.run import run_scripts

revision = "0035"
down_revision: str | None = "0034"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0035_vouchers")


def downgrade() -> None:
    raise RuntimeError("nobody would know any more which vouchers are out: restore a backup")
