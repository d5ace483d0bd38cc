"""What goes on from its row goes on as what it was: the same object, of its own provider and its own run."""

from typing import Any

import pytest

from models.supervision.supervision import ObjectKind, OpenObject
from workflows.supervision.resumption import resumable_of


def resumed(kind: ObjectKind, *key: str) -> tuple[str, Any]:
    """Return the id and the request of what an object of the provider `second` goes on as."""
    found = resumable_of(OpenObject(kind, key, "second", "", "acc_1"))
    return found.workflow_id, found.start.request


@pytest.mark.parametrize(
    ("kind", "key", "workflow_id"),
    [
        (ObjectKind.COLLECTION, ("acc_1", "2026-11"), "collection/acc_1/2026-11"),
        (ObjectKind.HAND_OVER, ("acc_1", "2026-11"), "collection/acc_1/2026-11"),
        (ObjectKind.WAITING_MEMBER, ("acc_1", "run/monthly/2026-11", "2026-11"), "collection/acc_1/2026-11"),
        (ObjectKind.PAYMENT_REQUEST, ("pr_1",), "payment-request/pr_1"),
        (ObjectKind.MERCHANT_CONNECTION, ("cafe",), "merchant/cafe"),
        (ObjectKind.REFUND, ("rf_1",), "refund/rf_1"),
        (ObjectKind.REDUCTION, ("award_1",), "reduction/award_1"),
        (ObjectKind.DISPUTE, ("dp_1",), "dispute/dp_1"),
        (ObjectKind.CARD, ("card_1",), "card/card_1"),
        (ObjectKind.REFUND_RUN, ("refunds/second/2026-11-26", "2026-11-26"), "refunds/second/2026-11-26"),
    ],
)
def test_what_is_of_a_provider_is_asked_of_that_provider(
    kind: ObjectKind, key: tuple[str, ...], workflow_id: str
) -> None:
    found, request = resumed(kind, *key)

    assert (found, request.provider) == (workflow_id, "second")


@pytest.mark.parametrize("kind", ["billing", "payment"])
@pytest.mark.parametrize("supplement", [0, 2])
def test_a_run_goes_on_as_the_supplement_that_it_was(kind: str, supplement: int) -> None:
    found, request = resumed(ObjectKind.RUN, "run/1", kind, "monthly", "2026-11", str(supplement))
    shard, of_whole = resumed(ObjectKind.SHARD, "run/1", "3", kind, "monthly", "2026-11", str(supplement))

    assert (found, shard) == ("run/1", "run/1/shard-003")
    assert request == of_whole
    assert (request.definition_id, request.period, request.supplement) == ("monthly", "2026-11", supplement)
