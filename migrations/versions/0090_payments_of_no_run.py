"""An index of the requests that no run has made: payments of services, by hand and by a link are few.

Revision ID: 0090
"""

from migrations.indices import build_beside_writers

revision = "0090"
down_revision: str | None = "0088"
branch_labels: str | None = None
depends_on: str | None = None

# A list of them went through the payments of all runs, whose members it costs nothing.
INDICES = {"requests_of_no_run": "duly.gateway_requests (kind, created_at, id) where run_id is null"}


def upgrade() -> None:
    build_beside_writers(INDICES)


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the index")
