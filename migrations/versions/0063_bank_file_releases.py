"""Files for the bank above a limit are released by two people.

Revision ID: 0063
"""

from migrations.run import run_scripts

revision = "0063"
down_revision: str | None = "0061"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0063_bank_file_releases")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the table")
