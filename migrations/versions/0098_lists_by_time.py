"""Indices by which the block list, held charges and communications are listed, the newest first.

Revision ID: 0098
"""

from migrations.indices import build_beside_writers

revision = "0098"
down_revision: str | None = "0096"
branch_labels: str | None = None
depends_on: str | None = None

INDICES = {
    "charge_blocks_by_time": "duly.charge_blocks (blocked_at, id)",
    "charge_holds_by_time": "duly.charge_holds (held_at, id)",
    "communications_by_time": "duly.communications (created_at, id)",
}


def upgrade() -> None:
    build_beside_writers(INDICES)


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the indices")
