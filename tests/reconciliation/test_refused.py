"""Money that has moved is booked whatever state its account is in; what a rule refuses stops nothing else."""

import pytest

from tests.fixtures.reconciling import ReconciliationClient
from tests.reconciliation.dashboard import pay_in_the_dashboard
from tests.reconciliation.test_charges import backdate_attempts
from tests.reconciliation.test_found_by_events import deliver, taken_and_unanswered, until_found
from tests.support.attempts import never_answer
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "as agreed")
NO_SUCH_REFUND = "alter table duly.gateway_requests add constraint no_such_refund check (amount_minor <> 777) not valid"


async def refund(reconciling: ReconciliationClient, payment: str, amount_minor: int) -> str:
    """Refund in the gateway's dashboard."""
    made = await reconciling.stripe.v1.refunds.create_async({"payment_intent": payment, "amount": amount_minor})
    return made.id


async def kinds(reconciling: ReconciliationClient) -> list[tuple[str, str, str]]:
    return [(one.kind, one.state, one.evidence.get("rule", "")) for one in await reconciling.discrepancies()]


async def test_a_refund_of_an_account_that_was_terminated_since_is_booked_to_suspense_and_remembers_it(
    reconciling: ReconciliationClient, period: str
) -> None:
    account = await reconciling.merchant.account()
    payment = await reconciling.paid(account, period)
    await reconciling.merchant.run("select duly.set_account_state(:a, 'terminated')", a=account)
    await refund(reconciling, payment, 1000)

    certificate = await reconciling.reconcile()
    await reconciling.until_owed("acc_suspense_eur", 1000)

    (booked,) = await reconciling.merchant.run(
        "select account_id, intended_account_id, total_minor, state from duly.financial_transactions"
        " where classification = 'refund'"
    )
    assert tuple(booked) == ("acc_suspense_eur", account, 1000, "posted")
    assert (certificate.open_discrepancies, await reconciling.wrong()) == (0, [])


@pytest.mark.nightly
async def test_what_moves_by_a_method_that_is_out_of_use_is_booked(
    reconciling: ReconciliationClient, period: str
) -> None:
    account = await reconciling.merchant.account()
    payment = await reconciling.paid(account, period)
    await reconciling.merchant.run("update duly.payment_methods set is_active = false where id = 'card'")
    await refund(reconciling, payment, 1000)
    await pay_in_the_dashboard(reconciling, account, 700)

    certificate = await reconciling.reconcile()
    await reconciling.until_owed(account, 300)

    assert (certificate.open_discrepancies, await reconciling.wrong()) == (0, [])


async def test_another_amount_than_was_asked_for_is_booked_though_account_and_method_are_out_of_use(
    reconciling: ReconciliationClient, period: str
) -> None:
    account = await reconciling.merchant.account(owes_minor=2500)
    handle = await taken_and_unanswered(reconciling, account, period)
    await handle.terminate("it hangs")
    await reconciling.merchant.run("update duly.payment_methods set is_active = false where id = 'card'")
    await reconciling.merchant.run("select duly.set_account_state(:a, 'terminated')", a=account)

    await reconciling.merchant.run(
        "select duly.record_outcome(id, 1, 'succeeded', 'pi_1', 'ch_1', p_found_minor => 2000)"
        " from duly.gateway_requests"
    )

    booked = await reconciling.merchant.run(
        "select account_id, intended_account_id, total_minor, method from duly.financial_transactions"
        " where classification = 'payment' and state = 'posted'"
    )
    assert [tuple(row) for row in booked] == [("acc_suspense_eur", account, 2000, "card")]


@pytest.mark.nightly
async def test_a_movement_that_a_rule_refuses_is_listed_and_booked_when_the_rule_is_gone(
    cli: CommandLine, reconciling: ReconciliationClient, period: str
) -> None:
    account, other = await reconciling.merchant.account(), await reconciling.merchant.account()
    first, second = await reconciling.paid(account, period), await reconciling.paid(other, period)
    await reconciling.merchant.run(NO_SUCH_REFUND)
    await refund(reconciling, first, 777)
    await refund(reconciling, second, 1000)

    refused = await reconciling.reconcile()
    listed = await kinds(reconciling)
    remedy = (await cli.json("reconcile", "list"))["discrepancies"][0]["remedy"]
    await reconciling.merchant.run("alter table duly.gateway_requests drop constraint no_such_refund")
    await reconciling.reconcile()
    await reconciling.until_owed(account, 777)
    mended = await reconciling.reconcile()

    assert (refused.open_discrepancies, mended.open_discrepancies) == (1, 0)
    assert sorted(listed) == [("refused", "open", "no_such_refund"), ("unbooked_refund", "mended", "")]
    assert "reconcile again" in remedy
    assert ("refused", "gone", "no_such_refund") in await kinds(reconciling)
    assert await reconciling.wrong() == []


async def test_an_object_of_an_event_that_a_rule_refuses_is_listed_at_once(
    reconciling: ReconciliationClient, period: str
) -> None:
    payment = await reconciling.paid(await reconciling.merchant.account(), period)
    await reconciling.merchant.run(NO_SUCH_REFUND)
    made = await refund(reconciling, payment, 777)

    await deliver(reconciling)
    await until_found(reconciling, "refused")

    (found,) = await reconciling.discrepancies()
    assert (found.object, found.state, found.evidence["rule"]) == (made, "open", "no_such_refund")


async def given_up(cli: CommandLine, reconciling: ReconciliationClient, period: str) -> tuple[str, str]:
    """Let a refund leave, a person say that it has not, and the next be refused; return account and payment."""
    account, sandbox = await reconciling.merchant.account(), reconciling.sandbox
    await reconciling.paid(account, period)
    name = f"rf_{period}"
    payment = await reconciling.merchant.value("select transaction_id from duly.gateway_requests")
    never_answer(sandbox, operation="POST /v1/refunds")
    await cli("refunds", "create", payment, "--amount", "25.00", "--id", name, *WHO)
    await cli.json("refunds", "resolve", name, "--was-not-refunded", *WHO)
    sandbox.clear_faults()
    await reconciling.duly.client.get_workflow_handle(f"refund/{name}").result()
    assert (
        await reconciling.merchant.value("select state from duly.gateway_requests where id = :id", id=name)
        == "rejected"
    )
    return account, payment


@pytest.mark.nightly
async def test_a_refund_that_had_left_although_a_person_said_it_had_not_is_booked(
    cli: CommandLine, reconciling: ReconciliationClient, period: str
) -> None:
    account, payment = await given_up(cli, reconciling, period)
    await backdate_attempts(reconciling)

    certificate = await reconciling.reconcile()

    again = await cli("refunds", "create", payment, "--amount", "25.00", *WHO)
    assert (certificate.open_discrepancies, await reconciling.wrong()) == (0, [])
    assert await kinds(reconciling) == [("unbooked_refund", "mended", "")]
    assert (await reconciling.merchant.balance(account), "something_is_left" in again.stderr) == (2500, True)


@pytest.mark.nightly
async def test_the_event_of_a_refund_that_was_given_up_is_not_delivered_to_its_workflow_that_has_ended(
    cli: CommandLine, reconciling: ReconciliationClient, period: str
) -> None:
    account, payment = await given_up(cli, reconciling, period)

    await deliver(reconciling)
    await until_found(reconciling, "unbooked_refund")
    await reconciling.until_owed(account, 2500)

    again = await cli("refunds", "create", payment, "--amount", "25.00", *WHO)
    assert await reconciling.wrong() == []
    assert await kinds(reconciling) == [("unbooked_refund", "mended", "")]
    assert "something_is_left" in again.stderr
