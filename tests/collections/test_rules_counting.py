"""What the rows say that a policy has used up, for whoever takes a receivable over: no attempt is counted twice."""

import pytest

from models.collections.earlier import EarlierAttempt, PolicyCounts, counts_before
from models.gateway.gateway_request import AttemptCause, AttemptOutcome

SOFT, TECHNICAL = "insufficient_funds", "processing_error"


def attempt(
    number: int,
    code: str = SOFT,
    *,
    card: str = "visa",
    cause: AttemptCause = AttemptCause.SCHEDULED,
    outcome: AttemptOutcome | None = AttemptOutcome.DECLINED,
    is_other_card: bool = False,
) -> EarlierAttempt:
    return EarlierAttempt(number, cause, outcome, card, code, "", "", is_other_card)


def other_card(number: int, card: str, code: str = SOFT) -> EarlierAttempt:
    return attempt(number, code, card=card, is_other_card=True)


@pytest.mark.parametrize(
    ("attempts", "before", "counted"),
    [
        pytest.param([], 1, PolicyCounts(), id="none was made"),
        pytest.param([attempt(1)], 1, PolicyCounts(), id="the last one is counted when it is decided about"),
        pytest.param([attempt(1), attempt(2)], 2, PolicyCounts(1), id="one waited for the policy"),
        pytest.param([attempt(1), attempt(2)], 3, PolicyCounts(2), id="opened again"),
        pytest.param(
            [attempt(1), attempt(2, TECHNICAL), attempt(3)], 3, PolicyCounts(1, 1), id="of each class by itself"
        ),
        pytest.param(
            [attempt(1), other_card(2, "mastercard"), attempt(3)], 3, PolicyCounts(1), id="cards tried in a row are one"
        ),
        pytest.param(
            [attempt(1), other_card(2, "mastercard"), other_card(3, "amex")],
            3,
            PolicyCounts(0, 0, ("visa", "mastercard")),
            id="the cards before the last are tried",
        ),
        pytest.param(
            [attempt(1), attempt(2, cause=AttemptCause.MANUAL), attempt(3)],
            3,
            PolicyCounts(1),
            id="what a person asks for uses nothing up",
        ),
        pytest.param(
            [attempt(1, outcome=AttemptOutcome.DID_NOT_HAPPEN), attempt(2)], 2, PolicyCounts(), id="nothing was charged"
        ),
        pytest.param([attempt(1), attempt(2, outcome=None)], 2, PolicyCounts(1), id="one without an outcome"),
    ],
)
def test_the_rows_count_as_the_workflow_does(
    attempts: list[EarlierAttempt], before: int, counted: PolicyCounts
) -> None:
    assert counts_before(attempts, before) == counted
