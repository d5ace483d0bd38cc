"""What a run makes at Stripe: marked with the run's name, and taken away again where Stripe lets it be."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe.jsontypes import Json

MARK = "duly_contract"

_OPEN_INTENT = ("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture")

# How each kind of object that a behaviour makes is taken away, and in which states; the others stay, marked.
_TAKEN_AWAY: dict[str, tuple[str, str]] = {
    "customer": ("DELETE", "/v1/customers/{id}"),
    "webhook_endpoint": ("DELETE", "/v1/webhook_endpoints/{id}"),
    "checkout.session": ("POST", "/v1/checkout/sessions/{id}/expire"),
    "payment_intent": ("POST", "/v1/payment_intents/{id}/cancel"),
    "setup_intent": ("POST", "/v1/setup_intents/{id}/cancel"),
    "dispute": ("POST", "/v1/disputes/{id}/close"),
}
_STATES: dict[str, tuple[str, ...]] = {
    "checkout.session": ("open",),
    "payment_intent": _OPEN_INTENT,
    "setup_intent": _OPEN_INTENT,
    "dispute": ("needs_response", "under_review"),
}
_MARKED = (
    "/v1/checkout/sessions",
    "/v1/customers",
    "/v1/payment_intents",
    "/v1/refunds",
    "/v1/setup_intents",
    "/v1/webhook_endpoints",
)


# What goes away for good; all else stays, ended, in the account's lists.
_DELETED = ("customer", "webhook_endpoint", "payment_method", "event")


@dataclass
class Leftovers:
    """What was made in a run, by its id: the object as it was last seen."""

    run: str
    _seen: dict[str, Json] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def marked(self, path: str, form: dict[str, Any]) -> dict[str, Any]:
        """The form with the run's mark in the metadata, where it makes something and says nothing about metadata."""
        if path not in _MARKED or any(name.startswith("metadata") for name in form):
            return form
        return form | {f"metadata[{MARK}]": self.run}

    def note(self, body: Json) -> None:
        """Remember what an answer says was made or changed, a decline's intent included."""
        refused = body.get("error", {})
        for each in (body, refused.get("payment_intent"), refused.get("setup_intent")):
            if isinstance(each, dict) and "id" in each:
                self._seen[each["id"]] = each

    def to_take_away(self) -> Iterator[tuple[str, str]]:
        """The requests that take away what can be, newest first; each is given once."""
        for id, each in reversed(list(self._seen.items())):
            noun = str(each.get("object"))
            if id in self._taken or each.get("deleted") or noun not in _TAKEN_AWAY:
                continue
            if noun not in _STATES or each.get("status") in _STATES[noun]:
                self._taken.add(id)
                method, path = _TAKEN_AWAY[noun]
                yield method, path.format(id=id)

    def staying(self) -> dict[str, int]:
        """What no request deletes, counted by its noun."""
        nouns = [str(each.get("object")) for each in self._seen.values()]
        return dict(sorted(Counter(noun for noun in nouns if noun not in _DELETED).items()))
