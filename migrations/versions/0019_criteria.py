"""Criteria of run definitions, a classification of accounts, and periods of runs that are weeks or days.

Revision ID: 0019
"""

from migrations.indices import build_beside_writers
from migrations.run import run_scripts

revision = "0019"
down_revision: str | None = "0018"
branch_labels: str | None = None
depends_on: str | None = None

# By name: the accounts of a segment, or of a classification, newest first.
INDICES = {
    "accounts_of_segment": "duly.accounts (segment, created_at, id) where kind = 'customer' and segment is not null",
    "accounts_of_classification": (
        "duly.accounts (classification, created_at, id) where kind = 'customer' and classification is not null"
    ),
}


def upgrade() -> None:
    run_scripts("0019_criteria")
    build_beside_writers(INDICES)


def downgrade() -> None:
    raise RuntimeError("runs would charge accounts that their criteria leave out: restore a backup instead")
