"""Passkeys of the console's users, and challenges that are answered once.

Revision ID: 0036
"""

from migrations.run import run_scripts

revision = "0036"
down_revision: str | None = "0035"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0036_passkeys")


def downgrade() -> None:
    raise RuntimeError("passkeys, and who signed in by one, would be forgotten: restore a backup")
