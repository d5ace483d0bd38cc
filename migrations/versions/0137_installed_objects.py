"""What migrate has installed is kept, so that what is changed by hand is noticed.

Revision ID: 0137
"""

from migrations.run import run_scripts

revision = "0137"
down_revision: str | None = "0136"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0137_installed_objects")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it does not read the columns")
