"""The life cycle of financial transactions as tables: sides, states, what may follow, and numbers (F1 to F47)."""

from models.ledger.transaction import Classification, LifeCycleState, Side

SIDES: dict[Classification, Side] = {
    Classification.INVOICE: Side.DEBIT,
    Classification.CREDIT_NOTE: Side.CREDIT,
    Classification.PAYMENT: Side.CREDIT,
    Classification.REFUND: Side.DEBIT,
    Classification.WRITE_OFF: Side.CREDIT,
    Classification.INVOICE_CANCELLATION: Side.CREDIT,
    Classification.PAYMENT_CANCELLATION: Side.DEBIT,
}

TRANSITIONS: dict[LifeCycleState, frozenset[LifeCycleState]] = {
    LifeCycleState.DRAFT: frozenset({LifeCycleState.POSTED, LifeCycleState.REJECTED}),
    LifeCycleState.POSTED: frozenset({LifeCycleState.CANCELLED, LifeCycleState.WRITTEN_OFF}),
    LifeCycleState.REJECTED: frozenset(),
    LifeCycleState.CANCELLED: frozenset(),
    LifeCycleState.WRITTEN_OFF: frozenset(),
}

STATES: dict[Classification, frozenset[LifeCycleState]] = {
    Classification.INVOICE: frozenset(LifeCycleState),
    Classification.CREDIT_NOTE: frozenset({LifeCycleState.DRAFT, LifeCycleState.POSTED, LifeCycleState.REJECTED}),
    Classification.PAYMENT: frozenset(LifeCycleState) - {LifeCycleState.WRITTEN_OFF},
    Classification.REFUND: frozenset({LifeCycleState.DRAFT, LifeCycleState.POSTED, LifeCycleState.REJECTED}),
    Classification.WRITE_OFF: frozenset({LifeCycleState.POSTED}),
    Classification.INVOICE_CANCELLATION: frozenset({LifeCycleState.POSTED}),
    Classification.PAYMENT_CANCELLATION: frozenset({LifeCycleState.POSTED}),
}
"""The states a classification can be in. Cancellations and write-offs are posted at once and stay (F45, Q4)."""

NUMBER_PREFIXES: dict[Classification, str] = {
    Classification.INVOICE: "INV",
    Classification.CREDIT_NOTE: "CRN",
    Classification.PAYMENT: "PAY",
    Classification.REFUND: "REF",
    Classification.WRITE_OFF: "WRO",
    Classification.INVOICE_CANCELLATION: "ICN",
    Classification.PAYMENT_CANCELLATION: "PCN",
}


def side_of(classification: Classification) -> Side:
    """Return the side that a classification moves; no setting overrides it (F2)."""
    return SIDES[classification]


def signed(classification: Classification, amount_minor: int) -> int:
    """Return what posting an amount adds to the balance; positive: the customer owes more (F12)."""
    return amount_minor if side_of(classification) is Side.DEBIT else -amount_minor


def may_become(state: LifeCycleState, following: LifeCycleState) -> bool:
    """Tell whether an action may lead from one state to another."""
    return following in TRANSITIONS[state]
