"""An index of attempts that did not happen: a rule that counts per merchant takes them off.

Revision ID: 0096
"""

from migrations.indices import build_beside_writers

revision = "0096"
down_revision: str | None = "0095"
branch_labels: str | None = None
depends_on: str | None = None

INDICES = {
    "attempts_without_charge": (
        "duly.gateway_attempts (started_at) where outcome in ('did_not_happen', 'invalid_request')"
    )
}


def upgrade() -> None:
    build_beside_writers(INDICES)


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with the index")
