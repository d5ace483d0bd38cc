"""Mail that comes back later is known again by its Message-ID, and sellers have templates of their own.

Revision ID: 0081
"""

from migrations.run import run_scripts

revision = "0081"
down_revision: str | None = "0079"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0081_bounces_and_templates")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the column")
