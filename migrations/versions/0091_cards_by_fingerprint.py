"""An index of cards by their fingerprint: a rule that counts per card finds the accounts that have it.

Revision ID: 0091
"""

from migrations.indices import build_beside_writers

revision = "0091"
down_revision: str | None = "0090"
branch_labels: str | None = None
depends_on: str | None = None

INDICES = {"cards_by_fingerprint": "duly.cards (fingerprint) where fingerprint <> ''"}


def upgrade() -> None:
    build_beside_writers(INDICES)


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the index")
