"""Which events are needed, and what each is about."""

import pytest
import stripe

from activities.gateway.stripe_events import event_of
from models.gateway.events import NEEDED, PAGE_EVENTS, EventSubject, event_subject, needed_types

STRIPES = set(stripe.Event.__annotations__["type"].__args__)


def test_every_needed_type_is_one_that_stripe_sends() -> None:
    assert set(needed_types()) <= STRIPES


def test_every_subject_hears_of_something() -> None:
    assert {need.subject for need in NEEDED.values()} | {EventSubject.FOUND} == set(EventSubject)


def test_any_other_type_is_about_nothing_here() -> None:
    others = STRIPES - set(needed_types())

    assert [type_ for type_ in others if event_subject(type_, page_mode="payment") is not None] == []


@pytest.mark.parametrize("type_", PAGE_EVENTS)
@pytest.mark.parametrize(
    ("mode", "subject"), [("payment", EventSubject.PAYMENT), ("setup", EventSubject.CARD), ("subscription", None)]
)
def test_a_page_is_about_what_it_was_opened_for(type_: str, mode: str, subject: EventSubject | None) -> None:
    assert event_subject(type_, page_mode=mode) is subject


def test_an_event_keeps_ids_and_nothing_personal() -> None:
    about = {
        "id": "ch_1",
        "payment_intent": {"id": "pi_1"},
        "customer": "cus_1",
        "payment_method": "Ada Lovelace",
        "billing_details": {"name": "Ada Lovelace", "email": "ada@example.com"},
        "metadata": {"duly_request": "req_1", "duly_account": "acc_1"},
    }

    event = event_of(
        {"id": "evt_1", "type": "charge.refunded", "created": 1, "livemode": True, "data": {"object": about}}
    )

    assert (event.subject, event.object_id, event.is_live) == (EventSubject.REFUND, "ch_1", True)
    assert event.mentions == ("ch_1", "cus_1", "pi_1")
    assert (event.request_id, event.account_id) == ("req_1", "acc_1")
