"""What really moved: the oracle that ledgers are compared with, summed from the movements alone."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sandbox.stripe.control.messages import CurrencyTotal, MovementGroup, Sum
from sandbox.stripe.state.account_state import AccountState, Movement

KINDS = ("charge", "refund", "refund_failure", "dispute", "dispute_reversal")
DEFAULT_KEYS = ("duly_request", "duly_account")

Group = tuple[tuple[tuple[str, str], ...], str]


def groups_of(state: AccountState, keys: Iterable[str], wanted: Mapping[str, str]) -> tuple[MovementGroup, ...]:
    """One group per value of the metadata keys and currency, for charges whose metadata has what is wanted."""
    groups: dict[Group, list[Movement]] = defaultdict(list)
    keys = tuple(keys)
    for movement in state.movements:
        metadata = movement.charge["metadata"]
        if wanted.items() <= metadata.items():
            named = tuple((key, metadata[key]) for key in keys if key in metadata)
            groups[named, movement.currency].append(movement)
    return tuple(_group(dict(named), currency, moved) for (named, currency), moved in groups.items())


def _group(metadata: dict[str, str], currency: str, movements: list[Movement]) -> MovementGroup:
    sums = _sums(movements)
    charges = {movement.charge["id"]: movement.charge for movement in movements}
    return MovementGroup(
        metadata=metadata,
        currency=currency,
        charges=sums["charge"],
        refunds=sums["refund"],
        refund_failures=sums["refund_failure"],
        disputes=sums["dispute"],
        dispute_reversals=sums["dispute_reversal"],
        charge_ids=tuple(charges),
        payment_intent_ids=tuple(dict.fromkeys(charge["payment_intent"] for charge in charges.values())),
        refund_ids=tuple(movement.id for movement in movements if movement.kind == "refund"),
        dispute_ids=tuple(movement.id for movement in movements if movement.kind == "dispute"),
    )


def _sums(movements: Iterable[Movement]) -> dict[str, Sum]:
    amounts: dict[str, list[int]] = {kind: [] for kind in KINDS}
    for movement in movements:
        amounts[movement.kind].append(movement.amount)
    return {kind: Sum(count=len(each), amount_minor=sum(each)) for kind, each in amounts.items()}


def totals_of(state: AccountState) -> tuple[CurrencyTotal, ...]:
    """Everything that moved, by currency, and what is left after fees."""
    movements: dict[str, list[Movement]] = defaultdict(list)
    for movement in state.movements:
        movements[movement.currency].append(movement)
    settled = {each["currency"] for each in state.balance_transactions}
    return tuple(_total(state, currency, movements[currency]) for currency in sorted({*movements, *settled}))


def _total(state: AccountState, currency: str, movements: list[Movement]) -> CurrencyTotal:
    sums = _sums(movements)
    transactions = [each for each in state.balance_transactions if each["currency"] == currency]
    return CurrencyTotal(
        currency=currency,
        charges=sums["charge"],
        refunds=sums["refund"],
        refund_failures=sums["refund_failure"],
        disputes=sums["dispute"],
        dispute_reversals=sums["dispute_reversal"],
        fees_minor=sum(each["fee"] for each in transactions),
        balance_minor=sum(each["net"] for each in transactions),
    )
