"""Gauges say what is open, by the process that reads; a database that does not answer shows nothing old."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from activities.collections.collect import CollectActivities
from activities.database import Database, create_engine
from activities.operations.measures import Measures, queries
from sandbox.stripe.control.client import FaultKind, SandboxControl
from telemetry.gauges import GAUGES, OpenWork
from tests.operations.telemetry.reading import Reading
from tests.support.attempts import age_attempts, fault_charges, refused_type, request_for
from tests.support.builders import Merchant
from tests.support.run_control import until

Measuring = Callable[[], tuple[OpenWork, Reading, AsyncEngine]]


@pytest.fixture
async def measuring(database_url: str) -> AsyncIterator[Measuring]:
    """Processes that measure what is open, each time they are asked."""
    engines = []

    def begin() -> tuple[OpenWork, Reading, AsyncEngine]:
        registry = CollectorRegistry()
        engines.append(create_engine(database_url, pool=1))
        measures = Measures(Database(engines[-1], timeout_seconds=5))
        return OpenWork(registry, measures, database_seconds=0, workflows_seconds=0), Reading(registry), engines[-1]

    yield begin
    for engine in engines:
        await engine.dispose()


async def test_unknown_attempts_are_shown_by_the_time_since_they_were_made(
    merchant: Merchant,
    collecting: CollectActivities,
    stripe_sandbox: SandboxControl,
    owner_engine: AsyncEngine,
    measuring: Measuring,
) -> None:
    account = await merchant.account(owes_minor=2500)
    fault_charges(stripe_sandbox, FaultKind.REQUEST_LOST)
    await refused_type(collecting, request_for(account))
    await age_attempts(owner_engine, started=timedelta(hours=2), sent=timedelta(hours=1))
    work, shown, _ = measuring()

    await work.refresh()

    assert shown("duly_unknown_attempts", provider="stripe", kind="payment", age="up_to_6h") == 1


async def test_inbox_outbox_and_discrepancies_are_shown_with_labels_of_a_fixed_set(
    merchant: Merchant, measuring: Measuring
) -> None:
    await merchant.run(
        "insert into duly.gateway_events (id, provider_id, type, subject, state, created_at, next_try_at)"
        " values ('evt_1', 'stripe', 'charge.succeeded', 'payment', 'waiting', now(), now() - interval '1 hour'),"
        " ('evt_2', 'stripe', 'charge.succeeded', 'payment', 'waiting', now(), now() + interval '1 hour')"
    )
    await merchant.run("insert into duly.messages (id, kind, state) values ('receipt/a', 'receipt', 'failed')")
    await merchant.run(
        "insert into duly.discrepancies (provider_id, kind, object)"
        " values ('stripe', 'differs', 'ch_1'), ('stripe', 'kind_of_tomorrow', 'ch_2'), ('stripe', 'another', 'ch_3')"
    )
    work, shown, _ = measuring()

    await work.refresh()

    assert shown("duly_inbox_events", provider="stripe", state="waiting") == 2
    assert 3590 < shown("duly_inbox_lag_seconds", provider="stripe") < 3700
    assert shown("duly_outbox_messages", state="failed") == 1
    assert shown("duly_open_discrepancies", kind="differs") == 1
    assert shown("duly_open_discrepancies", kind="other") == 2


async def test_where_nothing_is_open_that_is_shown_for_each_provider_and_not_nothing(
    merchant: Merchant, measuring: Measuring
) -> None:
    work, shown, _ = measuring()

    await work.refresh()

    of_providers = {f"duly_{what}" for what, described in GAUGES.items() if described.labels[:1] == ("provider",)}
    after_a_reconciliation = {name for name in of_providers if "balance" in name}
    of_workflows_or_ages = {"duly_gateway_pollers", "duly_reconciliation_age_seconds", "duly_events_swept_age_seconds"}
    counts = of_providers - after_a_reconciliation - of_workflows_or_ages
    assert {name: shown(name, provider="stripe") for name in counts} == dict.fromkeys(counts, 0)


async def test_what_was_never_done_is_as_old_as_its_provider(merchant: Merchant, measuring: Measuring) -> None:
    await merchant.run("update duly.providers set created_at = now() - interval '3 days'")
    await merchant.run("update duly.run_definitions set created_at = now() - interval '70 days' where id = 'plans'")
    work, shown, _ = measuring()

    await work.refresh()
    never = [shown(f"duly_{of}_age_seconds", provider="stripe") for of in ("reconciliation", "events_swept")]
    await merchant.run("insert into duly.event_marks values ('stripe', now() - interval '20 minutes')")
    await work.refresh()

    assert [round(age / 86_400) for age in never] == [3, 3]
    assert 1190 < shown("duly_events_swept_age_seconds", provider="stripe") < 1300
    assert shown("duly_missed_runs", sort="billing") == 2
    assert shown("duly_missed_runs", sort="payment") == 0


async def test_what_cannot_be_read_any_more_is_not_shown_as_it_was(
    merchant: Merchant, owner_engine: AsyncEngine, measuring: Measuring
) -> None:
    work, shown, _ = measuring()
    await work.refresh()
    assert (shown("duly_measured_up", source="database"), shown.has("duly_outbox_messages")) == (1, True)

    await merchant.run("alter table duly.discrepancies rename to not_there")
    await work.refresh()

    assert shown("duly_measured_up", source="database") == 0
    assert not shown.has("duly_outbox_messages")
    assert not shown.has("duly_measured_timestamp_seconds")


async def test_one_process_measures_and_another_one_takes_over_when_it_is_gone(measuring: Measuring) -> None:
    first, shown_first, engine = measuring()
    second, shown_second, _ = measuring()

    await first.refresh()
    await second.refresh()
    at_first = (shown_first.has("duly_outbox_messages"), shown_second.has("duly_outbox_messages"))
    up_meanwhile = shown_second("duly_measured_up", source="database")
    await engine.dispose()

    async def has_taken_over() -> bool:
        await second.refresh()
        return shown_second.has("duly_outbox_messages")

    # The server lets go of the lock a moment after the connection ends.
    await until(has_taken_over)
    assert (at_first, up_meanwhile) == ((True, False), 1)


async def test_workflows_are_counted_by_where_they_stand(
    merchant: Merchant, measuring: Measuring, temporal_server: Client
) -> None:
    # Of another provider's queue no worker of this server's tests can have taken anything.
    await merchant.run("insert into duly.providers (id, gateway, mode) values ('unattended', 'stripe', 'test')")
    work, shown, _ = measuring()
    work.ask(temporal_server)

    await work.refresh()

    assert shown("duly_measured_up", source="temporal") == 1
    assert shown("duly_open_collections", stage="dunning") >= 0
    assert shown("duly_standing_runs", stage="held") >= 0
    assert shown("duly_workflows_need_review") >= 0
    assert shown("duly_gateway_pollers", provider="unattended") == 0
    assert shown("duly_supervision_age_seconds") > 0


async def test_nothing_that_grows_for_ever_is_read_without_an_index(owner_engine: AsyncEngine) -> None:
    growing = {"messages", "gateway_events", "gateway_requests", "gateway_attempts", "gateway_expectations"}
    growing |= {"discrepancies", "disputes"}
    plans: list[str] = []
    async with owner_engine.begin() as connection:
        await connection.execute(text("set local enable_seqscan = off"))
        for query in queries():
            statement = query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]
            plans += [row[0] for row in await connection.exec_driver_sql(f"explain {statement}")]

    scanned = {line.split("Seq Scan on ")[1].split()[0] for line in plans if "Seq Scan on " in line}

    assert len(plans) > 20
    assert not scanned & growing
