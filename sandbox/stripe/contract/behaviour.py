"""A behaviour: what is done, what is seen, and where Stripe says so."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.stripe.contract.side import Side

Observe = Callable[[Side], str]


@dataclass(frozen=True)
class Behaviour:
    """In one sentence what Stripe does, as it is seen from outside.

    `source` is an address below docs.stripe.com, or `OpenAPI` with the schema's name.
    """

    name: str
    expected: str
    source: str
    observe: Observe


BEHAVIOURS: list[Behaviour] = []


def behaviour(expected: str, source: str) -> Callable[[Observe], Observe]:
    """Adds the function to the table; its docstring is the sentence."""

    def add(observe: Observe) -> Observe:
        BEHAVIOURS.append(Behaviour((observe.__doc__ or "").strip().rstrip("."), expected, source, observe))
        return observe

    return add
