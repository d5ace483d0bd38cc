"""Layouts of banks' own CSV exports.

Revision ID: 0050
"""

from migrations.run import run_scripts

revision = "0050"
down_revision: str | None = "0049"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0050_statement_layouts")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the table")
