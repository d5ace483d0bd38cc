"""Sellers, postal addresses of accounts, and documents as they were printed.

Revision ID: 0027
"""

from migrations.run import run_scripts

revision = "0027"
down_revision: str | None = "0026"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    run_scripts("0027_documents")


def downgrade() -> None:
    raise RuntimeError("documents that customers have would be gone: restore a backup")
