"""Requests of no run, newest first: payments that a service has asked for, where runs have made nearly all.

Revision ID: 0139
"""

from migrations.indices import build_beside_writers

revision = "0139"
down_revision: str | None = "0136"
branch_labels: str | None = None
depends_on: str | None = None

INDICES = {"requests_of_no_run": "duly.gateway_requests (kind, created_at, id) where run_id is null"}


def upgrade() -> None:
    build_beside_writers(INDICES)


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it reads without the index")
