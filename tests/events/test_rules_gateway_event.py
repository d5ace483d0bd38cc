"""Which events are needed, and what each is about."""

from dataclasses import fields
from typing import Any

import pytest
import stripe

from activities.gateway.stripe_events import event_of
from models.gateway.events import NEEDED, PAGE_EVENTS, EventSubject, GatewayEvent, event_subject, needed_types

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


# An object in every version of the API that was published, and in those to come: what names others may be gone, null,
# expanded, a list, or of another type.
NAMING = ("charge", "customer", "mandate", "payment_intent", "payment_method", "setup_intent")
SHAPES: tuple[object, ...] = (
    ...,
    None,
    7,
    True,
    [],
    ["pi_9"],
    {},
    {"id": None},
    {"id": 7},
    {"object": "list", "data": []},
    "",
    "é",
)
ALL_TYPES = sorted({*needed_types(), *needed_types(of_merchants=True)})


def an_object(field: str, shape: object) -> dict[str, Any]:
    """An object that names others, but for one field, which has another shape."""
    whole: dict[str, Any] = {name: f"{name[:2]}_1" for name in NAMING}
    whole |= {
        "id": "ob_1",
        "mode": "payment",
        "metadata": {"duly_request": "req_1", "duly_account": "acc_1"},
        field: shape,
    }
    return {name: value for name, value in whole.items() if value is not ...}


@pytest.mark.parametrize("type_", ALL_TYPES)
def test_an_event_in_another_version_of_the_api_is_read_and_names_no_more_than_it_says(type_: str) -> None:
    for field in ("id", "mode", "metadata", *NAMING, "status", "amount"):
        for shape in SHAPES:
            about = an_object(field, shape)

            event = event_of({"id": "evt_1", "type": type_, "created": 1, "data": {"object": about}})

            assert event.type == type_
            assert set(event.mentions) == {
                one for name in ("id", *NAMING) if isinstance(one := about.get(name), str) and "_" in one
            }
            assert event.object_id == (
                about.get("id") if isinstance(about.get("id"), str) and about["id"].isascii() else ""
            )
            assert (event.request_id == "req_1") is (field != "metadata")
            assert event.subject is not None or type_ in PAGE_EVENTS or NEEDED[type_].subject is EventSubject.MERCHANT


def test_an_event_carries_nothing_that_could_be_taken_for_an_outcome() -> None:
    assert {field.name for field in fields(GatewayEvent)} == {
        *("id", "type", "subject", "object_id", "request_id", "account_id", "mentions"),
        *("is_live", "created_at", "gateway_account"),
    }
