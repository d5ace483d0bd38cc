"""Subscriptions that never begin, and indices by which lists are read newest first, built beside what writes.

Revision ID: 0016
"""

from alembic import op
from sqlalchemy import text

from migrations.run import STATEMENT_TIMEOUT, run_scripts

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
_BROKEN_OFF = """
    select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indexrelid
    where c.relnamespace = 'duly'::regnamespace and c.relname = :name and not i.indisvalid
"""


def upgrade() -> None:
    run_scripts("0016_lists_and_ends")
    # Built concurrently an index keeps nobody from writing, but it is in no transaction: what was broken off is
    # invalid, and is built anew. It waits for transactions that began before it, and nobody waits for it meanwhile.
    with op.get_context().autocommit_block():
        op.execute(f"set lock_timeout = '{STATEMENT_TIMEOUT}'")
        for name, columns in INDICES.items():
            for broken_off in op.get_bind().execute(text(_BROKEN_OFF), {"name": name}).scalars().all():
                op.execute(f"drop index concurrently {broken_off}")
            op.execute(f"create index concurrently if not exists {name} on {columns}")


def downgrade() -> None:
    raise RuntimeError("a release before this one needs no downgrade: it works with what is here")
