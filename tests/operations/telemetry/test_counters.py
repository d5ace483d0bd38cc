"""Events are counted once they are committed, under labels from a fixed set."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.business_events import announce, listen
from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.reconciliation.settling import Settling
from models.operations.business_events import DiscrepancyFound
from models.operations.events_swept import EventsSwept
from models.reconciliation.gateway import FoundObject
from models.reconciliation.movement_kinds import EntryKind
from sandbox.stripe.control.client import FaultKind, SandboxControl
from telemetry.counters import BusinessCounters
from telemetry.receiver import ReceiverCounters
from tests.operations.telemetry.reading import Reading
from tests.support.attempts import age_attempts, fault_charges, refused_type, request_for, until_answered
from tests.support.builders import Merchant, declined


@pytest.fixture
def counted() -> Iterator[Reading]:
    """The counters of this process while the test runs."""
    registry = CollectorRegistry()
    counters = BusinessCounters(registry, "stripe")
    end = listen(counters.count)
    yield Reading(registry)
    end()


async def test_a_payment_is_counted_once_however_often_its_activity_is_repeated(
    merchant: Merchant, collecting: CollectActivities, counted: Reading
) -> None:
    account = await merchant.account(owes_minor=2500)

    await collecting.collect(request_for(account))
    await collecting.collect(request_for(account))

    assert counted("duly_payments_total", outcome="succeeded", decline_class="") == 1
    assert counted("duly_time_to_certainty_seconds_count") == 1


async def test_a_decline_is_counted_by_its_class(
    merchant: Merchant, collecting: CollectActivities, counted: Reading
) -> None:
    soft = await merchant.account(owes_minor=2500, answers=[declined("insufficient_funds")])
    odd = await merchant.account(owes_minor=2500, answers=[declined("a_code_of_tomorrow")])
    fraud = await merchant.account(owes_minor=2500, answers=[declined("stolen_card")])

    for account in (soft, odd, fraud):
        await collecting.collect(request_for(account))

    assert counted("duly_payments_total", outcome="declined", decline_class="soft") == 2
    assert counted("duly_payments_total", outcome="declined", decline_class="fraud") == 1


async def test_an_unknown_outcome_is_counted_once_and_resolved_once_and_timed_from_the_first_row(
    merchant: Merchant,
    collecting: CollectActivities,
    counted: Reading,
    stripe_sandbox: SandboxControl,
    owner_engine: AsyncEngine,
) -> None:
    account = await merchant.account(owes_minor=2500)
    fault_charges(stripe_sandbox, FaultKind.REQUEST_LOST, calls=(1, 2))

    assert await refused_type(collecting, request_for(account)) == "GatewayUnanswered"
    assert await refused_type(collecting, request_for(account)) == "GatewayUnanswered"
    await age_attempts(owner_engine, started=timedelta(hours=2), sent=timedelta(hours=1))
    await until_answered(collecting, request_for(account), owner=owner_engine)

    assert counted("duly_payments_total", outcome="unknown", decline_class="") == 1
    assert counted("duly_unknowns_resolved_total", kind="payment") == 1
    assert 7200 <= counted("duly_time_to_certainty_seconds_sum") < 7300


async def test_what_reconciliation_lists_is_counted_by_kind(
    merchant: Merchant, database: Database, counted: Reading
) -> None:
    charge = FoundObject("ch_1", "succeeded", "pi_1", "cus_of_nobody", amount_minor=500, currency="EUR", created=1)

    await Settling(database).settle_object("stripe", EntryKind.CHARGE, charge)

    assert counted("duly_discrepancies_total", kind="foreign_charge", handling="opened") == 1


def test_no_odd_value_makes_a_series_of_its_own() -> None:
    registry = CollectorRegistry()
    counters = BusinessCounters(registry, "stripe")
    registry.register(ReceiverCounters({"untrusted_whatever": 2, "odd": 1}, {"odd": 1}))
    before = Reading(registry).series()

    for number in range(50):
        counters.count(DiscrepancyFound(f"kind_{number}", "ch_1", is_mended=False))

    new = Reading(registry).series() - before
    assert {labels for _, labels in new} == {
        frozenset({("provider", "stripe"), ("kind", "other"), ("handling", "opened")})
    }
    assert Reading(registry)("duly_discrepancies_total", kind="other") == 50
    assert Reading(registry)("duly_received_events_total", result="other") == 3


def test_every_series_of_an_outcome_is_there_from_the_start() -> None:
    registry = CollectorRegistry()
    BusinessCounters(registry, "stripe")

    outcomes = {dict(labels)["outcome"] for name, labels in Reading(registry).series() if name == "duly_payments_total"}

    assert outcomes == {"succeeded", "declined", "did_not_happen", "invalid_request", "processing", "unknown"}


def test_every_counter_begins_at_zero_so_that_the_first_event_is_an_increase() -> None:
    registry = CollectorRegistry()
    BusinessCounters(registry, "stripe")

    shown = {family.name: family.samples for family in registry.collect()}

    assert [name for name, samples in shown.items() if not samples] == []


def test_events_that_only_a_sweep_has_found_are_counted_from_zero_on(counted: Reading) -> None:
    before = counted("duly_swept_events_total", provider="stripe")

    announce(EventsSwept("stripe", 12))

    assert (before, counted("duly_swept_events_total", provider="stripe")) == (0, 12)
