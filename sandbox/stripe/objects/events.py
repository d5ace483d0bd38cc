"""Events: everything that happened in the last 30 days, whether or not a webhook about it arrived."""

from datetime import timedelta

from sandbox.stripe.api.errors import invalid_parameter, missing_object
from sandbox.stripe.api.listing import listed
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.state.account_state import AccountState

KEPT = timedelta(days=30)
TYPES_MAX = 20


def retrieve(state: AccountState, _params: Json, id: str) -> Json:
    """An event, for 30 days."""
    event = state.events.get(id)
    if event["created"] < _oldest(state):
        raise missing_object(state.events.noun, id)
    return event


def list_all(state: AccountState, params: Json) -> Json:
    """Events by type, types, creation and whether every endpoint got them."""
    if "type" in params and "types" in params:
        raise invalid_parameter("You may pass either `type` or `types`, but not both.", "types")
    if len(params.get("types", ())) > TYPES_MAX:
        raise invalid_parameter(f"You may pass up to {TYPES_MAX} types.", "types")
    types = set(params.get("types", ())) | ({params["type"]} if "type" in params else set())
    families = tuple(type.removesuffix("*") for type in types if type.endswith("*"))
    delivered = params.get("delivery_success")
    oldest = _oldest(state)

    def wanted(event: Json) -> bool:
        if event["created"] < oldest:
            return False
        if types and event["type"] not in types and not event["type"].startswith(families or ("\0",)):
            return False
        return delivered is None or delivered == (event["id"] not in state.undelivered)

    return listed(state.events, params, url="/v1/events", where=wanted)


def _oldest(state: AccountState) -> int:
    return state.clock.now() - int(KEPT.total_seconds())
