"""Collecting: configuration, runs, gateway requests and attempts, collections, events.

Revision ID: 0002
"""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

SQL = Path(__file__).parent.parent / "sql" / "collecting"


def upgrade() -> None:
    cursor = op.get_bind().connection.cursor()
    for script in sorted(SQL.glob("*.sql")):
        cursor.execute(script.read_text())
    cursor.close()


def downgrade() -> None:
    raise RuntimeError("requests and attempts are evidence: restore a backup instead")
