"""May a service collect an account's receivable now? Checked before anything is started: the answer is plain then."""

from collections.abc import Iterator
from dataclasses import dataclass

from models.gateway.amounts import chargeable_part, gateway_maximum, steps_text
from models.money import Money
from models.problem import Problem


@dataclass(frozen=True)
class Collectable:
    """What is known of an account before collecting from it; amounts in minor units of its currency.

    `free_minor` is what it owes and nobody else is collecting. `minimum_minor` is None when the provider does not take
    the account's currency; `request_state` is that of the receivable's payment request, if there is one; `free_name` is
    a name that no receivable of the month has.
    """

    account_id: str
    state: str
    currency: str
    free_minor: int
    has_card: bool
    has_customer: bool
    minimum_minor: int | None
    is_provider_effective: bool
    is_collected: bool
    request_state: str | None
    free_name: str


def problems_of_start(
    account_id: str,
    period: str,
    provider: str,
    found: Collectable | None,
    asked: Money | None = None,
    *,
    prepays: bool = False,
) -> Iterator[Problem]:
    """Yield every reason why nothing, or not the amount that is asked for, can be collected from an account.

    What is prepaid need not be owed.
    """
    if found is None:
        yield Problem("account", "account_exists", f"there is no account {account_id!r}")
        return
    if found.state == "terminated":
        yield Problem("account", "account_not_terminated", f"{account_id} is terminated")
    if found.is_collected:
        problem = f"{period} of {account_id} has a collection already; {found.free_name} is free"
        yield Problem("period", "one_owner", problem)
    elif found.request_state in {"posted", "rejected"}:
        problem = (
            f"{period} of {account_id} was requested already and is {found.request_state}; {found.free_name} is free"
        )
        yield Problem("period", "one_request_a_receivable", problem)
    yield from _problems_of_provider(provider, found)
    if prepays and asked is not None:
        yield from _problems_of_charge(asked, found)
    elif found.free_minor <= 0:
        yield Problem("account", "something_owed", f"{account_id} owes nothing that nobody else is collecting")
    elif asked is not None:
        yield from _problems_of_asked(asked, found)
    else:
        yield from _problems_of_amount(found)


def _problems_of_asked(asked: Money, found: Collectable) -> Iterator[Problem]:
    free = Money(found.free_minor, found.currency)
    if asked.amount_minor <= 0:
        yield Problem("amount", "amount_collectable", f"{asked} is nothing to ask for")
    elif asked.amount_minor > free.amount_minor:
        problem = f"{asked} is more than the {free} that {found.account_id} owes and nobody else is collecting"
        yield Problem("amount", "amount_collectable", problem)
    else:
        yield from _problems_of_charge(asked, found)


def _problems_of_charge(asked: Money, found: Collectable) -> Iterator[Problem]:
    """Say why a provider charges no such amount."""
    if chargeable_part(asked) != asked:
        yield Problem("amount", "amount_in_steps", f"{asked}: {steps_text(found.currency)}")
    elif found.minimum_minor is not None and asked.amount_minor < found.minimum_minor:
        minimum = Money(found.minimum_minor, found.currency)
        yield Problem("amount", "amount_at_least", f"{asked}: the provider takes {minimum} or more")
    elif found.minimum_minor is not None and asked > (most := gateway_maximum(found.currency)):
        yield Problem("amount", "amount_at_most", f"{asked}: the gateway takes {most} at most")


def _problems_of_amount(found: Collectable) -> Iterator[Problem]:
    owed = Money(found.free_minor, found.currency)
    charged = chargeable_part(owed)
    if not charged:
        yield Problem("account", "amount_in_steps", f"{found.account_id} owes {owed}, {steps_text(found.currency)}")
    elif found.minimum_minor is not None and charged.amount_minor < found.minimum_minor:
        minimum = Money(found.minimum_minor, found.currency)
        problem = f"{found.account_id} owes {owed}, the provider takes {minimum} or more"
        yield Problem("account", "amount_at_least", problem)


def _problems_of_provider(provider: str, found: Collectable) -> Iterator[Problem]:
    if not found.is_provider_effective:
        yield Problem("provider", "provider_effective", f"there is no effective provider {provider!r}")
    elif found.minimum_minor is None:
        yield Problem("provider", "currency_of_provider", f"provider {provider!r} does not take {found.currency}")
    if not found.has_card:
        yield Problem("account", "card_required", f"{found.account_id} has no active recurring card at {provider!r}")
    elif not found.has_customer:
        yield Problem("account", "gateway_customer_exists", f"{found.account_id} has no customer at {provider!r}")
