"""Who is notified that money was sent is notified when it comes back, once; who was not is notified of neither."""

import pytest

from models.refunds.refund import RefundOutcome
from sandbox.servers.mail import Mailbox
from tests.fixtures.refunds import RefundClient
from tests.messages.mail_server import subjects
from tests.messages.recipients import ADA, person
from tests.support.run_control import until


@pytest.mark.parametrize(
    ("locale", "sent", "returned"),
    [
        ("en", "We have sent you €10.00", "Our refund of €10.00"),
        ("de", "Wir haben Ihnen 10,00 € erstattet", "Unsere Erstattung über 10,00 €"),
    ],
)
async def test_a_customer_who_was_told_of_a_refund_is_told_once_when_it_comes_back(
    refunds: RefundClient, mailbox: Mailbox, locale: str, sent: str, returned: str
) -> None:
    account = await person(refunds.merchant, locale=locale)
    [payment] = await refunds.paid(2500, account=account)
    first = await refunds.start(payment, 1000, name="rf_back")
    await mailbox.wait_for(2)

    refunds.sandbox.fail_refund(first.gateway_reference)
    for _ in range(2):
        await refunds.workflow("rf_back").signal("gateway_event")
    result = await refunds.ended("rf_back")

    assert result.outcome is RefundOutcome.REVERSED
    first_refund, *others = [subject.replace("\xa0", " ") for subject in subjects(mailbox, ADA)][1:]
    assert first_refund == sent
    assert [subject[: len(returned)] for subject in others] == [returned]


async def test_a_customer_who_was_not_told_of_a_refund_is_not_told_that_it_came_back(
    refunds: RefundClient, mailbox: Mailbox
) -> None:
    account = await person(refunds.merchant, email=None)
    [payment] = await refunds.paid(2500, account=account)
    first = await refunds.start(payment, 1000, name="rf_back")

    async def is_withheld() -> bool:
        return bool(
            await refunds.merchant.run("select from duly.messages where kind = 'refunded' and state = 'withheld'")
        )

    await until(is_withheld)
    refunds.sandbox.fail_refund(first.gateway_reference)
    await refunds.workflow("rf_back").signal("gateway_event")
    await refunds.ended("rf_back")

    rows = await refunds.merchant.run("select kind from duly.messages where kind like 'refund%' order by kind")
    assert [row.kind for row in rows] == ["refund_failed", "refunded"]
