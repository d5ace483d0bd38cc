"""Roles have limits of their own of what one person does alone.

Revision ID: 0072
"""

from migrations.run import run_scripts

revision = "0072"
down_revision: str | None = "0071"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0072_limits_of_roles")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the column")
