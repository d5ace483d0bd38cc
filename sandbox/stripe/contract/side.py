"""One side of the comparison: the API, who visits its pages, and where its webhooks arrive."""

from dataclasses import dataclass

from sandbox.stripe.contract.calls import Calls
from sandbox.stripe.contract.deliveries import Deliveries
from sandbox.stripe.contract.visitors import Visit, Visitor, Wish, fill_in_form, pay_by_request
from sandbox.stripe.jsontypes import Json


@dataclass
class Side(Calls):
    """`deliveries` is there where webhooks can reach this machine."""

    visitor: Visitor | None = None
    deliveries: Deliveries | None = None

    def visit(self, wish: Wish, of: Json) -> None:
        """Let a customer do something on the page of a session or an intent. Raises NotAskedError without one."""
        usual = pay_by_request if self.control is None else fill_in_form
        (self.visitor or usual)(self, Visit(wish, of))
