"""Holds every event of the sandbox, and the object in it, against Stripe's OpenAPI."""

from collections.abc import Iterable

import orjson

from sandbox.stripe.openapi.answers import event_differences
from sandbox.stripe.state.account_state import AccountState


def differences_of_events(states: Iterable[AccountState]) -> list[str]:
    """A line for each difference in an event of these accounts."""
    events = [orjson.loads(orjson.dumps(event)) for state in states for event in list(state.events)]
    return [line for event in events for line in event_differences(event)]
