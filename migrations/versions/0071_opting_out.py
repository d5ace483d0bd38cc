"""Customers opt out of mail that neither law nor contract requires, by a link in each such mail.

Revision ID: 0071
"""

from migrations.run import run_scripts

revision = "0071"
down_revision: str | None = "0065"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0071_opting_out")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the table")
