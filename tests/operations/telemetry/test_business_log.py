"""One line for each business event of a month, under names that stay, with nothing in it that is personal."""

import json
import logging
from collections.abc import Iterator

import pytest
from temporalio import workflow

from activities.business_events import listen
from models.collections.collection import CANCELLED, UNCHARGEABLE, Stage
from models.operations.business_events import BusinessEvent, CommandEnded
from models.operations.end_reason import EndReason, end_reason
from models.operations.event_names import EventName
from models.operator_command import OperatorCommand
from tests.collections.test_operators import is_at
from tests.fixtures.refunds import RefundClient
from tests.support.builders import PERIOD, Merchant, declined
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from workflows.collections.collection import Collection
from workflows.collections.steps import GAVE_UP


@pytest.fixture
def announced() -> Iterator[list[BusinessEvent]]:
    """What the activities of this process have announced."""
    events: list[BusinessEvent] = []
    end = listen(events.append)
    yield events
    end()


@pytest.fixture
def workflow_log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """The log of workflows, with the SDK set as every process of ours sets it."""
    monkeypatch.setattr(workflow.logger, "workflow_info_on_message", False)
    caplog.set_level(logging.INFO, "temporalio.workflow")
    return caplog


def lines_of_workflows(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What workflows have logged under the names of business events."""
    return [record for record in caplog.records if record.getMessage() in set(EventName)]


async def test_a_month_is_logged_as_its_events(
    duly: RunningDuly,
    merchant: Merchant,
    announced: list[BusinessEvent],
    workflow_log: pytest.LogCaptureFixture,
) -> None:
    good = await merchant.account("acc_1")
    bad = await merchant.account("acc_2", answers=[declined("insufficient_funds")], answers_for_ever=True)
    for account in (good, bad):
        await merchant.subscription(account, price_minor=1000)

    await duly.bill()
    await duly.run()
    await until(lambda: is_at(duly.collection(bad), Stage.DUNNING))
    command = OperatorCommand("maria@example.com", "Mr. Customer has called")
    await duly.collection(bad).execute_update(Collection.give_up, command)
    await duly.collection(bad).result()

    assert sorted(event.name for event in announced) == [
        "collection_given_up",
        "collection_opened",
        "payment_declined",
        "payment_succeeded",
        "run_completed",
        "run_completed",
        "run_started",
        "run_started",
    ]
    (given,) = lines_of_workflows(workflow_log)
    assert given.getMessage() == "command_given"
    assert (vars(given)["command"], vars(given)["actor"]) == ("give_up", "maria")
    assert vars(given)["workflow_id"] == f"collection/{bad}/{PERIOD}"
    given_up = next(event for event in announced if event.name == EventName.COLLECTION_GIVEN_UP)
    assert given_up.details()["reason"] == "operator_gave_up"
    written = json.dumps([dict(event.details()) for event in announced])
    charged = next(event for event in announced if event.name == EventName.PAYMENT_SUCCEEDED)
    assert charged.details()["amount"] == "11.90 EUR"
    assert not [word for word in ("@", "Customer", "4242", "pm_card", "cus_") if word in written]


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("attempts_used_up", EndReason.ATTEMPTS_USED_UP),
        ("pays_by_bank_transfer", EndReason.PAYS_OTHERWISE),
        ("lovelace", EndReason.OTHER),
        ("parameter_invalid_empty", EndReason.OTHER),
    ],
)
def test_a_line_says_why_a_collection_ended_by_a_reason_of_ours_or_not_at_all(reason: str, shown: EndReason) -> None:
    assert end_reason(reason) is shown
    assert set(UNCHARGEABLE) | {GAVE_UP, CANCELLED} < {str(one) for one in EndReason}


def test_a_mail_address_that_was_typed_for_an_id_is_not_logged() -> None:
    ended = CommandEnded(7, "cards register", "ada.lovelace@example.com 2026-11", "maria@example.com", "refused")

    assert ended.details() == {
        "noun": "cards",
        "verb": "register",
        "ids": "(mail address) 2026-11",
        "actor": "maria",
        "outcome": "refused",
        "command_id": 7,
    }


async def test_a_refund_is_logged_when_it_is_paid(refunds: RefundClient, announced: list[BusinessEvent]) -> None:
    [payment] = await refunds.paid(2500)
    announced.clear()

    await refunds.start(payment, 1000)

    (paid,) = [event for event in announced if event.name.startswith("refund")]
    assert paid.name == "refund_refunded"
    assert paid.details().items() >= {"payment_id": payment, "amount": "10.00 EUR", "kind": "refund"}.items()


async def test_a_refusal_of_a_command_is_logged_with_the_rule(
    duly: RunningDuly, merchant: Merchant, workflow_log: pytest.LogCaptureFixture
) -> None:
    account = await merchant.account(owes_minor=2500, answers=[declined("insufficient_funds")], answers_for_ever=True)
    collection = await duly.start_collection(account)
    await collection.execute_update("first_outcome")

    with pytest.raises(Exception, match="failed"):
        await collection.execute_update(
            "mark_paid_outside", {"actor": "maria", "reason": "in cash", "reference": "note 1", "method": "no_method"}
        )

    (refused,) = lines_of_workflows(workflow_log)
    assert refused.getMessage() == "command_refused"
    assert (vars(refused)["command"], vars(refused)["actor"]) == ("mark_paid_outside", "maria")
    assert vars(refused)["rule"]
    await collection.terminate()
