"""The control: at a gateway that ignores idempotency keys repeats are new charges, and each of them must be noticed."""

import pytest

from sandbox.stripe.control.client import AccountSettings, Fault, FaultKind, SandboxControl
from tests.fixtures.reconciling import ReconciliationClient
from tests.payments.paying_by_link import make, submit, terms
from tests.support.attempts import CHARGES, LISTS
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.run_control import shape, until
from workflows.payments.payment_request import PaymentRequest

WHO = ("--actor", "maria", "--reason", "charged twice")
ACCOUNTS = 6


def charged_twice(sandbox: SandboxControl) -> int:
    """Count the charges beyond the first of each request, by the gateway's own notes."""
    groups = sandbox.movements(group_by=("duly_request",)).groups
    return sum(group.charges.count - 1 for group in groups)


async def is_charged_twice(sandbox: SandboxControl, requests: int) -> bool:
    """Whether so many requests were charged twice."""
    return charged_twice(sandbox) == requests


async def is_every_outcome_known(merchant: Merchant) -> bool:
    """Whether each charge that was asked for is known to have happened or not."""
    open_requests = "select count(*) from duly.gateway_requests where state in ('under_processing', 'unknown')"
    return bool(await merchant.value(open_requests) == 0)


@pytest.mark.slow
async def test_every_double_charge_is_noticed_and_what_to_refund_is_said(
    cli: CommandLine, reconciling: ReconciliationClient, period: str
) -> None:
    sandbox, merchant = reconciling.sandbox, reconciling.merchant
    await shape(merchant, window=8)
    for number in range(ACCOUNTS):
        await merchant.account(f"acc-{period}-{number:02}", owes_minor=1000 + number)
    sandbox.set_account_settings(AccountSettings(honours_idempotency_keys=False))
    sandbox.add_fault(Fault(operation=CHARGES, kind=FaultKind.RESPONSE_LOST, calls=(1, 2, 3)))
    # Who can look for a charge does not send its key again, and nothing is charged twice even here.
    sandbox.add_fault(Fault(operation=LISTS, kind=FaultKind.UNAVAILABLE_503))
    await reconciling.duly.run(period=period)
    # The run may hand over whom it has charged without an answer: its collection sends the key again.
    await until(lambda: is_charged_twice(sandbox, 3))
    sandbox.clear_faults()
    # Who was charged and never answered waits for what the reconciliation finds; repeats are compared after that.
    await reconciling.reconcile()
    await until(lambda: is_every_outcome_known(merchant))

    await reconciling.reconcile()

    listed = (await cli.json("reconcile", "list", "--kind", "double_charge"))["discrepancies"]
    assert (len(listed), charged_twice(sandbox), await reconciling.wrong()) == (3, 3, [])
    for one in listed:
        assert one["remedy"].startswith(f"Refund {one['object']}: duly refunds create {one['number']}")
        await cli.json("refunds", "create", one["number"], *WHO)
    certificate = await reconciling.reconcile()
    assert (certificate.open_discrepancies, await reconciling.wrong()) == (0, [])
    balances = await merchant.run("select balance_minor from duly.account_balances where balance_minor <> 0")
    assert balances == []


@pytest.mark.nightly
async def test_a_refund_that_was_paid_twice_is_named_and_stays_open_until_a_person_has_agreed_on_it(
    cli: CommandLine, reconciling: ReconciliationClient, period: str
) -> None:
    sandbox, merchant = reconciling.sandbox, reconciling.merchant
    account = await merchant.account()
    await reconciling.paid(account, period, 5000)
    payment = await merchant.value("select transaction_id from duly.gateway_requests where kind = 'payment'")
    sandbox.set_account_settings(AccountSettings(honours_idempotency_keys=False))
    sandbox.add_fault(Fault(operation="POST /v1/refunds", kind=FaultKind.RESPONSE_LOST, calls=(1,)))
    sandbox.add_fault(Fault(operation="GET /v1/refunds", kind=FaultKind.UNAVAILABLE_503))
    await cli.json("refunds", "create", payment, "--amount", "10.00", *WHO)
    sandbox.clear_faults()

    await reconciling.reconcile()
    await reconciling.until_owed(account, 2000)
    await reconciling.reconcile()

    [listed] = (await cli.json("reconcile", "list"))["discrepancies"]
    assert (listed["kind"], listed["account_id"], listed["amount_minor"]) == ("double_refund", account, 1000)
    assert listed["remedy"].startswith(f"The customer has {listed['object']} too much")
    assert await reconciling.wrong() == []
    await cli.json("reconcile", "resolve", listed["id"], "--as", "explained", *WHO)
    assert (await reconciling.reconcile()).open_discrepancies == 0


@pytest.mark.nightly
async def test_of_a_page_that_was_opened_twice_a_second_payment_is_listed_with_what_to_refund(
    cli: CommandLine, reconciling: ReconciliationClient, period: str
) -> None:
    sandbox, account = reconciling.sandbox, await reconciling.merchant.account()
    sandbox.set_account_settings(AccountSettings(honours_idempotency_keys=False))
    sandbox.add_fault(Fault(operation="POST /v1/checkout/sessions", kind=FaultKind.RESPONSE_LOST, calls=(1,)))
    sandbox.add_fault(Fault(operation="GET /v1/checkout/sessions", kind=FaultKind.UNAVAILABLE_503))
    handle, _ = await make(reconciling.duly, f"twice-{period}", terms(account))
    await handle.execute_update(PaymentRequest.open_page)
    sandbox.clear_faults()
    pages = (await reconciling.stripe.v1.checkout.sessions.list_async()).data
    for page in pages:
        await submit(str(page.url))

    await reconciling.reconcile()
    await reconciling.reconcile()

    [listed] = (await cli.json("reconcile", "list", "--kind", "double_charge"))["discrepancies"]
    assert len(pages) == 2
    assert listed["remedy"].startswith(f"Refund {listed['object']}: duly refunds create {listed['number']}")
    assert await reconciling.wrong() == []


@pytest.mark.nightly
async def test_a_validation_that_was_made_twice_saves_one_card_and_charges_it_once(
    cli: CommandLine, reconciling: ReconciliationClient, period: str
) -> None:
    sandbox, merchant = reconciling.sandbox, reconciling.merchant
    account = await merchant.account(cards=[], owes_minor=2500)
    sandbox.set_account_settings(AccountSettings(honours_idempotency_keys=False))
    sandbox.add_fault(Fault(operation="POST /v1/setup_intents", kind=FaultKind.RESPONSE_LOST, calls=(1,)))
    sandbox.add_fault(Fault(operation="GET /v1/setup_intents", kind=FaultKind.UNAVAILABLE_503))
    token = await merchant.fresh_token("pm_card_visa")
    await cli.json("cards", "register", account, "--token", token)
    sandbox.clear_faults()
    made = (await reconciling.stripe.v1.setup_intents.list_async()).data
    result = await (await reconciling.duly.start_collection(account, period)).result()
    await reconciling.reconcile()

    assert (len(made), result.stage) == (2, "settled")
    assert (await reconciling.wrong(), await reconciling.discrepancies()) == ([], [])
