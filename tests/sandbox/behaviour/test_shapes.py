"""What `make contract` lays side by side besides behaviours: fields, events, and Stripe's OpenAPI."""

from typing import Any

from sandbox.stripe.contract.calls import Exchanged
from sandbox.stripe.contract.shapes import (
    event_rows,
    events_in,
    field_differences,
    fields_sent,
    openapi_lines,
    read_events,
)

ID = "ch_3AbCdEfGhIjKlMnO"


def answered(body: dict[str, Any], path: str = f"/v1/charges/{ID}", status: int = 200) -> Exchanged:
    return Exchanged("GET", path, status, body)


def differing(ours: dict[str, Any], theirs: dict[str, Any]) -> list[tuple[str, str, str]]:
    return field_differences(*(fields_sent([answered({"object": "charge"} | each)]) for each in (ours, theirs)))


def event(type: str, **about: Any) -> dict[str, Any]:
    about = {"id": ID, "object": "charge"} | about
    return {
        "id": f"evt_{type.replace('.', '')}",
        "object": "event",
        "type": type,
        "created": 1,
        "data": {"object": about},
    }


def test_a_field_that_only_one_of_them_sends_is_said_with_its_place() -> None:
    assert differing({"transfer": None}, {}) == [("charge", "transfer", "the sandbox alone")]
    assert differing({"outcome": {"type": "a"}}, {"outcome": {"type": "a", "rule": "b"}}) == [
        ("charge", "outcome.rule", "Stripe alone")
    ]
    assert differing({"refunds": [{"a": 1}]}, {"refunds": [{"b": 1}]}) == [
        ("charge", "refunds[].a", "the sandbox alone"),
        ("charge", "refunds[].b", "Stripe alone"),
    ]


def test_what_lies_within_a_field_that_one_of_them_leaves_empty_is_not_compared() -> None:
    assert differing({"outcome": None}, {"outcome": {"type": "a"}}) == []


def test_names_that_are_the_accounts_own_are_no_fields() -> None:
    assert differing({"metadata": {"a": "1"}}, {"metadata": {"b": "2"}}) == []


def test_refusals_and_requests_that_no_reference_lists_have_no_fields() -> None:
    page = Exchanged("POST", "/v1/payment_pages/cs_1/confirm", 200, {"object": "checkout.session", "odd": 1})
    assert fields_sent([answered({"object": "charge", "a": 1}, status=400), page]) == {}


def test_an_event_is_read_as_the_receiver_reads_it() -> None:
    listed = [event("charge.updated", customer="cus_1234", payment_intent="pi_1234"), event("payout.paid")]
    page = Exchanged("GET", "/v1/events", 200, {"object": "list", "data": [*listed, *listed]})

    read = read_events(events_in([page]))

    assert read == {"charge.updated": "movement, by ch cus pi"}


def test_an_event_that_the_receiver_cannot_read_is_said() -> None:
    (reading,) = read_events([event("charge.updated") | {"created": "yesterday"}]).values()

    assert reading.startswith("unreadable (")


def test_an_event_that_only_one_of_them_sends_or_sends_otherwise_is_said() -> None:
    ours, theirs = {"a": "card, by pm", "b": "refund, by re"}, {"b": "refund, by ch re", "c": "payment, by pi"}

    assert event_rows(ours, theirs) == [
        ("a", "card, by pm", "not sent"),
        ("b", "refund, by re", "refund, by ch re"),
        ("c", "not sent", "payment, by pi"),
    ]
    assert event_rows(ours, ours) == []


def test_an_answer_that_is_not_as_published_is_said_once_and_without_ids() -> None:
    wrong = {"object": "balance", "available": [], "livemode": False, "pending": [], "colour": "red"}

    lines = openapi_lines([answered(wrong, "/v1/balance"), answered(wrong, "/v1/balance")])

    assert lines == ["GET /v1/balance -> 200.colour is unknown"]
    assert all(ID not in line for line in openapi_lines([answered({"object": "charge", "id": ID})]))
