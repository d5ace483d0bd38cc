"""Alerts fire on what is open in the database while something is really broken, and on nothing else."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from activities.database import Database, create_engine
from activities.operations.measures import Measures
from telemetry.gauges import OpenWork
from tests.operations.telemetry.breakage.prometheus import Seen, firing, series_of
from tests.support.builders import Merchant

EVENT = (
    "insert into duly.gateway_events (id, provider_id, type, subject, state, created_at, next_try_at) values"
    " ('evt_1', 'stripe', 'charge.succeeded', 'payment', '{state}', now(), now() - interval '20 minutes')"
)
MESSAGE = "insert into duly.messages (id, kind, state, queued_at) values ('receipt/a', 'receipt', '{state}', {since})"
CLOCKS = (
    "insert into duly.clock_readings (provider_id, apart_seconds, database_seconds, culprit, reason, noted_at)"
    " values ('stripe', {apart}, 0, 'the database', 'off', now()) on conflict (provider_id) do update"
    " set apart_seconds = excluded.apart_seconds, culprit = excluded.culprit, noted_at = now()"
)
BREAKAGES = [
    ("select 1", set[str]()),
    (EVENT.format(state="waiting"), {"DulyEventsLate"}),
    (EVENT.format(state="needs_review"), {"DulyEventsToReview"}),
    (MESSAGE.format(state="failed", since="now()"), {"DulyMessagesFailed"}),
    (MESSAGE.format(state="pending", since="now() - interval '2 hours'"), {"DulyMessagesLate"}),
    (
        "insert into duly.discrepancies (provider_id, kind, object) values ('stripe', 'differs', 'ch_1')",
        {"DulyDiscrepancies"},
    ),
    # Events are to be read again from before what was forgotten.
    (
        "select duly.declare_restore('stripe', now() - interval '1 hour', 'maria', 'the disk was lost')",
        {"DulySendingHeld", "DulyEventsNotSwept"},
    ),
    (CLOCKS.format(apart=30), {"DulyClocksDiffer"}),
    (CLOCKS.format(apart=90), {"DulyClocksDiffer", "DulyHeldByClocks"}),
    ("update duly.event_marks set swept_until = now() - interval '1 day'", {"DulyEventsNotSwept"}),
    ("update duly.providers set created_at = now() - interval '2 days'", {"DulyNotReconciled"}),
    ("update duly.run_definitions set created_at = now() - interval '70 days' where id = 'plans'", {"DulyRunMissed"}),
    ("alter table duly.discrepancies rename to not_there", {"DulyNotMeasured"}),
]


@pytest.mark.nightly
@pytest.mark.parametrize(("breaks", "fire"), BREAKAGES)
async def test_alerts_fire_on_what_is_open_while_something_is_broken(
    merchant: Merchant, database_url: str, tmp_path: Path, breaks: str, fire: set[str]
) -> None:
    await merchant.run("insert into duly.event_marks values ('stripe', now() - interval '20 minutes')")
    engine = create_engine(database_url, pool=1)

    async def seen() -> Seen:
        registry = CollectorRegistry()
        work = OpenWork(registry, Measures(Database(engine, timeout_seconds=5)))
        await work.refresh()
        return series_of(registry.collect())

    before = await seen()
    await merchant.run(breaks)
    after = await seen()
    await engine.dispose()

    assert firing(tmp_path, before, after) == fire
