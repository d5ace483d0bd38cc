"""Number series: which prefix numbers a type of transaction, whether without gaps, and whether anew each year.

Revision ID: 0009
"""

from migrations.run import run_scripts

revision = "0009"
down_revision: str | None = "0008"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0009_number_series")


def downgrade() -> None:
    raise RuntimeError("numbers of a series with gaps would be given twice: restore a backup instead")
