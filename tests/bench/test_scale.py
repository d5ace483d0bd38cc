"""A million accounts carried to ten: counted, priced, simulated, and written down as measured."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from temporalio.api.common.v1 import SearchAttributes, WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import (
    ActivityTaskStartedEventAttributes,
    HistoryEvent,
    MarkerRecordedEventAttributes,
    UpsertWorkflowSearchAttributesEventAttributes,
    WorkflowExecutionStartedEventAttributes,
)

from bench.document import section_of
from bench.process_costs import BENCH, GATEWAY_WORKER, POSTGRESQL, STRIPE, TEMPORAL, WORKFLOW_WORKER
from bench.results import keep
from bench.scale.figures import AuditedRule, Scale, measure_scale
from bench.scale.histories import HistoryCost, actions_in
from bench.scale.memory import Memory
from bench.scale.page import SCALE_DOCUMENT, filled, scale_document, simulated
from bench.scale.parameters import read_parameters
from bench.scale.runs import RunTimes
from bench.scale.simulation import cluster_for, cost_of, limits, months_of, tables_of, units_of
from bench.scale.statements import SlowStatement, WatchedStatements
from bench.scale.storage import StorageReading, StoredBytes, TableGrowth, VacuumedTable, growth
from tests.bench.test_document import MACHINE

CPU_MS = {POSTGRESQL: 4.0, TEMPORAL: 6.0, STRIPE: 0.0, WORKFLOW_WORKER: 2.0, GATEWAY_WORKER: 3.0, BENCH: 0.0}
RUN = RunTimes(
    members=1_000,
    done=1_000,
    freeze_seconds=2.0,
    first_seconds=2.5,
    work_seconds=10.0,
    release_seconds=0.0,
    certify_seconds=1.0,
    cpu_ms=CPU_MS,
    logged_bytes=5_000.0,
    foreign_cores=0.1,
    frozen=(TableGrowth("run_items", 200.0, 300.0, 1),),
    tables=(TableGrowth("transfers", 400.0, 100.0, 1),),
)
FOUND = Scale(
    machine=MACHINE,
    accounts=1_000,
    load_seconds=1.0,
    account_tables=(TableGrowth("accounts", 100.0, 150.0, 1),),
    billing=RUN,
    payments=RUN,
    seal_seconds=1.0,
    rules=(AuditedRule("I1", 2.0), AuditedRule("I2", 4.0)),
    violations=0,
    vacuumed=(VacuumedTable("run_items", 2**30, 2**30, 10.0),),
    connections=20,
    statements=(SlowStatement("bill_members", 1.0, 10.0),),
    histories=(
        HistoryCost("PaymentRun", 1, 1, 500, 500, 50_000, 300, {"activities": 10, "starts": 1}),
        HistoryCost("PaymentRunShard", 2, 2, 3_500, 2_000, 950_000, 2_200, {"activities": 1_000, "starts": 2}),
        HistoryCost("Collection", 10, 10, 800, 90, 200_000, 400, {"activities": 100, "timers": 40}),
        HistoryCost("BillingRun", 1, 1, 600, 600, 1_000, 300, {"activities": 100}),
    ),
    memory=(Memory("collecting", GATEWAY_WORKER, 100.0, 110.0),),
)
GIVEN = read_parameters()
UNIT = units_of(FOUND, FOUND)


def event(kind: str, **attributes: object) -> HistoryEvent:
    return HistoryEvent(event_type=EventType.Value(f"EVENT_TYPE_{kind}"), **attributes)  # type: ignore[arg-type]


def started(*, parent: str = "", continued: str = "") -> HistoryEvent:
    attributes = WorkflowExecutionStartedEventAttributes(continued_execution_run_id=continued)
    if parent:
        attributes.parent_workflow_execution.CopyFrom(WorkflowExecution(workflow_id=parent))
    return event("WORKFLOW_EXECUTION_STARTED", workflow_execution_started_event_attributes=attributes)


def upserted(name: str) -> HistoryEvent:
    changed = SearchAttributes()
    changed.indexed_fields[name].data = b"1"
    attributes = UpsertWorkflowSearchAttributesEventAttributes(search_attributes=changed)
    kind = "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES"
    return event(kind, upsert_workflow_search_attributes_event_attributes=attributes)


def marked(task: int) -> HistoryEvent:
    attributes = MarkerRecordedEventAttributes(workflow_task_completed_event_id=task)
    return event("MARKER_RECORDED", marker_recorded_event_attributes=attributes)


def test_actions_are_counted_as_the_price_list_counts_them() -> None:
    third_try = ActivityTaskStartedEventAttributes(attempt=3)

    found = actions_in(
        [
            started(),
            event("WORKFLOW_TASK_COMPLETED"),
            event("ACTIVITY_TASK_SCHEDULED"),
            event("ACTIVITY_TASK_STARTED", activity_task_started_event_attributes=third_try),
            event("ACTIVITY_TASK_COMPLETED"),
            event("TIMER_STARTED"),
            event("TIMER_FIRED"),
            event("START_CHILD_WORKFLOW_EXECUTION_INITIATED"),
            event("WORKFLOW_EXECUTION_SIGNALED"),
            upserted("Stage"),
            upserted("TemporalChangeVersion"),
            marked(2),
            marked(2),
        ]
    )

    assert found == {
        "starts": 1,
        "activities": 1,
        "retries": 2,
        "timers": 1,
        "children": 2,
        "signals": 1,
        "search attributes": 1,
        "markers": 1,
    }


@pytest.mark.parametrize(
    ("history", "starts"),
    [
        (started(parent="run/monthly/2026-11"), 0),
        (started(parent="run/monthly/2026-11", continued="before"), 1),
        (started(continued="before"), 1),
    ],
)
def test_a_child_is_started_at_its_parents_cost_and_continues_as_new_at_its_own(
    history: HistoryEvent, starts: int
) -> None:
    assert actions_in([history])["starts"] == starts


def test_growth_is_what_each_has_added_to_a_table_and_its_indexes() -> None:
    before = StorageReading({"a": StoredBytes(100, 0), "b": StoredBytes(50, 50)}, 0)
    after = StorageReading({"a": StoredBytes(300, 100), "b": StoredBytes(51, 50), "c": StoredBytes(90, 10)}, 0)

    found = growth(before, after, 10)

    assert found == (TableGrowth("a", 20.0, 10.0, 400), TableGrowth("c", 9.0, 1.0, 100))


def test_the_longest_run_of_a_statement_is_held_against_its_own_time_out() -> None:
    watched = WatchedStatements()
    watched.note("select duly.freeze_payment_run(p_run_id => $1)", 30.0)
    watched.note("select duly.freeze_payment_run(p_run_id => $1)", 15.0)
    watched.note("select * from duly.due_page($1, $2)", 1.0)

    slowest = watched.slowest()

    assert [(slow.function, slow.seconds) for slow in slowest] == [("due_page", 1.0), ("freeze_payment_run", 30.0)]
    assert [slow.share for slow in slowest] == [0.1, 0.02]


@pytest.mark.parametrize(("actions", "dollars"), [(0, 0), (5e6, 250), (11.25e6, 525), (200e6, 5_925), (210e6, 6_175)])
def test_actions_cost_what_each_tier_of_the_list_says(actions: float, dollars: float) -> None:
    assert GIVEN.cloud.of_actions(actions) == pytest.approx(dollars)


@pytest.mark.parametrize(("usage", "dollars"), [(100, 600), (5_000, 5_500), (6_000, 6_600)])
def test_a_plan_costs_a_tenth_of_the_usage_or_its_least(usage: float, dollars: float) -> None:
    assert GIVEN.cloud.with_support(usage) == pytest.approx(dollars)


def test_a_payment_has_its_share_of_the_run_and_of_its_shards() -> None:
    assert UNIT.payment_events == 4.0
    assert UNIT.payment_actions == pytest.approx(1.013)
    assert UNIT.payment_history == 1_000
    assert UNIT.declined_actions == 14
    assert (UNIT.account_bytes, UNIT.invoice_bytes, UNIT.payment_bytes) == (250, 1_000, 1_000)


def test_what_is_in_the_ledger_adds_up_month_by_month() -> None:
    first, second = list(months_of(1_000_000, UNIT, GIVEN))[:2]

    assert second.database_bytes - first.database_bytes == 1_000_000 * 2_000
    assert second.audit_seconds == 2 * first.audit_seconds
    assert second.actions == first.actions == pytest.approx(1_000_000 * 1.023 + 80_000 * 14)
    assert first.collecting_seconds == 2_000


def test_a_month_costs_its_actions_its_storage_and_its_machines() -> None:
    month = next(months_of(1_000_000, UNIT, GIVEN))

    cost = cost_of(month, GIVEN)

    actions = GIVEN.cloud.of_actions(month.actions * 1.1)
    assert cost.cloud == pytest.approx(GIVEN.cloud.with_support(actions + cost.cloud_storage))
    # Five busy cores of six tenths each, rounded up; three copies of each core of the cluster.
    assert cost.workers == pytest.approx(5 * 36.5)
    assert cost.own_cluster == pytest.approx(5 * 3 * 36.5, rel=0.02)


def test_shards_and_partitions_follow_from_the_rate() -> None:
    size = cluster_for(UNIT, replace(GIVEN, gateway_calls_per_second=30_000))

    # 30,000 x 2.5 writes a second, of which a shard does 100, and twice that, as a power of two.
    assert (size.history_shards, size.partitions, size.run_shards) == (2_048, 120, 64)


def test_what_breaks_first_comes_first_and_says_when() -> None:
    slow = replace(UNIT, rule_ms=UNIT.rule_ms * 1_000)

    first, *others = limits(slow, GIVEN)

    assert first.what.startswith("one rule of the audit")
    assert first.month == 1
    assert [limit.accounts for limit in others] == sorted(limit.accounts for limit in others)


def test_tables_grow_with_every_month_and_accounts_once() -> None:
    found = {one.name: one for one in tables_of(FOUND, FOUND, GIVEN)}

    assert found["accounts"].table_bytes == 100 * 10_000_000
    # Both runs have written to it, in each of 24 months.
    assert found["run_items"].all_bytes == 2 * 500 * 10_000_000 * 24
    # Two GiB were vacuumed in ten seconds.
    assert found["run_items"].vacuum_seconds == pytest.approx(found["run_items"].all_bytes / 2**31 * 10)


def test_the_tables_of_the_page_are_those_of_the_simulation() -> None:
    assert SCALE_DOCUMENT.read_text(encoding="utf-8") == scale_document()


def test_every_simulated_table_has_its_place_on_the_page() -> None:
    text = SCALE_DOCUMENT.read_text(encoding="utf-8")

    assert [name for name in simulated() if f"<!-- simulated: {name} -->" not in text] == []


def test_a_table_is_put_between_its_marks_and_the_text_around_stays() -> None:
    text = "Before.\n\n<!-- simulated: months -->\nold\n<!-- end -->\n\nAfter.\n"

    found = filled(text, {"months": "new"})

    assert found == "Before.\n\n<!-- simulated: months -->\n\nnew\n\n<!-- end -->\n\nAfter.\n"
    assert filled(found, {"months": "new"}) == found
    assert filled(text.replace("old\n", ""), {"months": "new"}) == found


def test_a_month_within_its_targets_says_so_and_names_its_load(tmp_path: Path) -> None:
    keep("scale-small", FOUND, tmp_path)

    page = section_of("scale-small", tmp_path)

    assert "all 1,000 members were asked" in page
    assert "Other programs kept up to 0.10 cores busy." in page
    assert "Fell short" not in page


def test_what_falls_short_is_said_and_that_it_was_measured_under_load(tmp_path: Path) -> None:
    shard = replace(FOUND.histories[1], events_max=10_001)
    slow = SlowStatement("freeze_payment_run", 1_000.0, 1_500.0)
    figure = replace(
        FOUND,
        payments=replace(RUN, done=900, foreign_cores=1.7),
        violations=1,
        histories=(FOUND.histories[0], shard, *FOUND.histories[2:]),
        statements=(slow,),
        memory=(Memory("collecting", GATEWAY_WORKER, 100.0, 116.0),),
    )
    keep("scale", figure, tmp_path)

    page = section_of("scale", tmp_path)

    assert "900 were asked within the time" in page
    assert "the other 100 were released" in page
    assert "**measured under load**" in page
    assert "no history above 10,000 events. Measured: 10,001. **Fell short.**" in page
    assert "within 15%. Measured: +16.0%. **Fell short.**" in page
    assert "Measured: `freeze_payment_run` at 66.7%. **Fell short.**" in page
    assert "every rule of the ledger holds. Measured: 1 violations. **Fell short.**" in page


def test_prices_have_the_day_on_which_they_were_read() -> None:
    assert GIVEN.cloud.read_on >= date(2026, 11, 1) <= GIVEN.self_hosted.read_on


@pytest.mark.nightly
async def test_a_month_of_some_accounts_is_billed_collected_and_audited() -> None:
    found = await measure_scale(accounts=500, seconds_max=60)

    assert (found.billing.done, found.payments.done, found.violations) == (500, 500, 0)
    assert found.history("Collection").executions == 10
    assert found.history("PaymentRunShard").actions["activities"] > 500
    assert {memory.run for memory in found.memory} == {"billing", "collecting"}
    assert found.connections > 1
