"""`events` and `webhooks`: what the gateway has sent, delivering it again, and what it must send."""

import pytest

from activities.database import Database
from activities.events.inbox import EventInbox
from activities.gateway.stripe_events import event_of
from models.gateway.events import needed_types
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "support says so")


@pytest.fixture
async def inbox(merchant: Merchant, database: Database) -> EventInbox:
    """An inbox with an event about nothing known, and one of a type that nothing needs."""
    inbox = EventInbox(database, "stripe")
    for id, type_ in (("evt_1", "payment_intent.succeeded"), ("evt_2", "invoice.paid")):
        about = {"id": "pi_1", "metadata": {}}
        await inbox.receive(event_of({"id": id, "type": type_, "created": 1, "data": {"object": about}}))
    return inbox


async def test_events_are_listed_by_state_and_type(cli: CommandLine, inbox: EventInbox) -> None:
    waiting = await cli.json("events", "list", "--state", "waiting")
    ignored = await cli.json("events", "list", "--type", "invoice.paid")
    shown = await cli("events", "show", "evt_1")

    assert [event["id"] for event in waiting["events"]] == ["evt_1"]
    assert [(event["id"], event["state"]) for event in ignored["events"]] == [("evt_2", "ignored")]
    assert "pi_1" in shown.stdout


async def test_an_event_that_is_replayed_goes_to_whom_it_is_about_and_says_who_asked(
    cli: CommandLine, inbox: EventInbox, merchant: Merchant
) -> None:
    account = await merchant.account(owes_minor=2500)
    await merchant.run(
        "select duly.open_attempt(:account, '2026-11', 'stripe', '', 1, 'scheduled', '')", account=account
    )
    await inbox.put_off(["evt_1"])
    await merchant.run(f"select duly.record_outcome('pay/{account}/2026-11', 1, 'succeeded', 'pi_1', 'ch_1')")

    answer = await cli.json("events", "replay", "evt_1", *WHO)

    decisions = await merchant.value("select decisions from duly.gateway_events where id = 'evt_1'")
    assert answer == {"event": "evt_1", "state": "delivered"}
    assert decisions[0].endswith("replay, was waiting, says maria: support says so")


@pytest.mark.parametrize(
    ("event", "problem"), [("evt_2", ("database", "event_is_needed")), ("evt_9", ("database", "event_exists"))]
)
async def test_what_nobody_needs_or_knows_is_not_replayed(
    cli: CommandLine, inbox: EventInbox, event: str, problem: tuple[str, str]
) -> None:
    refused = await cli("events", "replay", event, *WHO, "--json")

    assert (refused.exit_code, refused.rules) == (1, [problem])


async def test_the_needed_types_are_listed_and_registered_and_the_secret_is_told_once(cli: CommandLine) -> None:
    listed = await cli.json("webhooks", "list")

    first = await cli.json("webhooks", "apply", "--url", "https://duly.example/webhooks/stripe")
    second = await cli.json("webhooks", "apply", "--url", "https://duly.example/webhooks/stripe")

    both = {*needed_types(), *needed_types(of_merchants=True)}
    assert [event["type"] for event in listed["events"]] == sorted(both)
    assert (first["change"], second["change"]) == ("created", "unchanged")
    assert first["secret"].startswith("whsec_")
    assert second["secret"] is None


async def test_an_address_that_is_none_is_refused_before_anything_is_asked(cli: CommandLine) -> None:
    refused = await cli("webhooks", "apply", "--url", "duly.example", "--json")

    assert (refused.exit_code, refused.rules) == (1, [("url", "url_is_absolute")])
