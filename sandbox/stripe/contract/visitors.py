"""Who visits a hosted page: forms are filled in at the sandbox; at Stripe a request or a person does it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sandbox.stripe.contract.calls import PERSON_SECONDS, Calls, NotAskedError
from sandbox.stripe.jsontypes import Json

NEEDS_A_PERSON = "somebody must open its page in a browser: ARGS=--pages"
_GOOD_CARD = "card 4242 4242 4242 4242, any later date and any CVC"


class Wish(StrEnum):
    """What a customer does on a page, as a person is asked to do it."""

    PAY = f"pay with {_GOOD_CARD},"
    SAVE = f"save {_GOOD_CARD},"
    PASS = "complete the authentication"
    FAIL = "fail the authentication"


@dataclass(frozen=True)
class Visit:
    """A session or an intent whose page is visited, and for what."""

    wish: Wish
    of: Json

    @property
    def url(self) -> str:
        """The address of the page."""
        action = self.of.get("next_action")
        return str(action["redirect_to_url"]["url"] if action else self.of["url"])

    @property
    def path(self) -> str:
        """The address of the object, by which it is seen whether the customer is done."""
        noun = "checkout/sessions" if self.of["object"] == "checkout.session" else f"{self.of['object']}s"
        return f"/v1/{noun}/{self.of['id']}"


Visitor = Callable[[Calls, Visit], None]
_FORMS = {
    Wish.PAY: {"card": "pm_card_visa"},
    Wish.SAVE: {"card": "pm_card_visa"},
    Wish.PASS: {"result": "pass"},
    Wish.FAIL: {"result": "fail"},
}


def fill_in_form(calls: Calls, visit: Visit) -> None:
    """At the sandbox, whose pages are plain forms."""
    calls.submit(visit.url, _FORMS[visit.wish])


def pay_by_request(calls: Calls, visit: Visit) -> None:
    """At Stripe without anybody in front of a browser: a page is paid, the others cannot be visited.

    Stripe's own command line pays so (`stripe trigger checkout.session.completed`): by a request that the API reference
    does not list. Raises NotAskedError for the other pages.
    """
    if visit.wish is not Wish.PAY:
        raise NotAskedError(NEEDS_A_PERSON)
    details = {"billing_details[email]": "contract@example.com", "billing_details[name]": "Contract test"}
    card = calls.post("/v1/payment_methods", {"type": "card", "card[token]": "tok_visa"} | details).body["id"]
    form = {"payment_method": card, "expected_amount": visit.of["amount_total"]}
    paid = calls.post(f"/v1/payment_pages/{visit.of['id']}/confirm", form)
    if paid.status != 200:
        raise NotAskedError(f"the page is not paid by a request any more ({paid.error}); {NEEDS_A_PERSON}")


@dataclass(frozen=True)
class Person:
    """Somebody with a browser, who is asked by `say` to open a page and is waited for."""

    say: Callable[[str], None]
    seconds: float = PERSON_SECONDS

    def __call__(self, calls: Calls, visit: Visit) -> None:
        """Say what is to be done, and wait until it is."""
        self.say(f"Please {visit.wish} at\n    {visit.url}")
        before = visit.of["status"]
        calls.until(visit.path, lambda found: found["status"] != before, self.seconds)
