"""The customers' portal: links by which they sign in, their sessions, and accounts found by e-mail.

Revision ID: 0029
"""

from migrations.indices import build_beside_writers
from migrations.run import run_scripts

revision = "0029"
down_revision: str | None = "0028"
branch_labels: str | None = None
depends_on: str | None = None

INDICES = {"accounts_by_email": "duly.accounts (lower(email)) where email is not null"}


def upgrade() -> None:
    run_scripts("0029_portal")
    build_beside_writers(INDICES)


def downgrade() -> None:
    raise RuntimeError(
        "messages of a kind that the release before does not know would be in the outbox: restore a backup"
    )
