import pytest

from models.ledger.transaction import Classification, LifeCycleState, Side
from tests.ledger.oracle.life_cycle import NUMBER_PREFIXES, SIDES, STATES, TRANSITIONS, may_become, side_of, signed


@pytest.mark.parametrize(
    ("classification", "side"),
    [
        (Classification.INVOICE, Side.DEBIT),
        (Classification.CREDIT_NOTE, Side.CREDIT),
        (Classification.PAYMENT, Side.CREDIT),
        (Classification.REFUND, Side.DEBIT),
        (Classification.WRITE_OFF, Side.CREDIT),
        (Classification.INVOICE_CANCELLATION, Side.CREDIT),
        (Classification.PAYMENT_CANCELLATION, Side.DEBIT),
    ],
)
def test_each_classification_moves_its_side(classification: Classification, side: Side) -> None:
    assert side_of(classification) is side


def test_every_classification_has_a_side_states_and_a_prefix_of_its_own() -> None:
    assert set(SIDES) == set(STATES) == set(NUMBER_PREFIXES) == set(Classification)
    assert len(set(NUMBER_PREFIXES.values())) == len(Classification)


def test_every_state_says_what_may_follow() -> None:
    assert set(TRANSITIONS) == set(LifeCycleState)


@pytest.mark.parametrize("state", LifeCycleState)
def test_nothing_becomes_a_draft_again(state: LifeCycleState) -> None:
    assert not may_become(state, LifeCycleState.DRAFT)


def test_a_debit_adds_to_what_is_owed_and_a_credit_takes_away() -> None:
    assert signed(Classification.INVOICE, 100) == 100
    assert signed(Classification.PAYMENT, 100) == -100
