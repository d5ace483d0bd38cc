"""Rules that hold an unusual charge for a person, and what they hold.

Revision ID: 0088
"""

from migrations.run import run_scripts

revision = "0088"
down_revision: str | None = "0087"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0088_charge_rules")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the tables")
