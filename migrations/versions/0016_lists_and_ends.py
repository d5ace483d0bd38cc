"""Subscriptions that never begin, and indices by which lists are read newest first, built beside what writes.

Revision ID: 0016
"""

from migrations.indices import build_beside_writers
from migrations.run import run_scripts

revision = "0016"
down_revision: str | None = "0015"
branch_labels: str | None = None
depends_on: str | None = None

# By name: when a row began, and its key, which tells rows of one moment apart.
INDICES = {
    "accounts_by_time": "duly.accounts (created_at, id) where kind = 'customer'",
    "cards_by_time": "duly.cards (created_at, id)",
    "collections_by_time": "duly.collections (opened_at, (account_id || '/' || period))",
    "discrepancies_by_time": "duly.discrepancies (first_seen_at, id)",
    "disputes_by_time": "duly.disputes (opened_at, id)",
    "events_by_time": "duly.gateway_events (created_at, id)",
    "expectations_by_time": "duly.gateway_expectations (expected_at, (object || '/' || kind))",
    "messages_by_time": "duly.messages (created_at, id)",
    "reductions_by_time": "duly.reductions (awarded_at, award_id)",
    "refunds_by_time": "duly.gateway_requests (created_at, id) where of_request_id is not null",
    "subscriptions_by_time": "duly.subscriptions (created_at, id)",
}


def upgrade() -> None:
    run_scripts("0016_lists_and_ends")
    build_beside_writers(INDICES)


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with what is here")
