"""What pages at the gateway show of a seller.

Revision ID: 0049
"""

from migrations.run import run_scripts

revision = "0049"
down_revision: str | None = "0048"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0049_page_brands")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: the new columns have defaults")
