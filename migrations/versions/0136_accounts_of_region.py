"""Accounts of a region, newest first.

Revision ID: 0136
"""

from migrations.indices import build_beside_writers

revision = "0136"
down_revision: str | None = "0135"
branch_labels: str | None = None
depends_on: str | None = None

INDICES = {
    "accounts_of_region": "duly.accounts (region, created_at, id) where kind = 'customer' and region is not null",
}


def upgrade() -> None:
    build_beside_writers(INDICES)


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it reads without the index")
