"""The control: at a gateway that ignores idempotency keys repeats are new charges, and each of them must be noticed."""

import pytest

from sandbox.stripe.control.client import AccountSettings, Fault, FaultKind, SandboxControl
from tests.fixtures.reconciling import ReconciliationClient
from tests.support.attempts import CHARGES, LISTS
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine
from tests.support.run_control import shape, until

WHO = ("--actor", "maria", "--reason", "charged twice")
ACCOUNTS = 24


def charged_twice(sandbox: SandboxControl) -> int:
    """Count the charges beyond the first of each request, by the gateway's own notes."""
    groups = sandbox.movements(group_by=("duly_request",)).groups
    return sum(group.charges.count - 1 for group in groups)


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
    sandbox.add_fault(Fault(operation=CHARGES, kind=FaultKind.RESPONSE_LOST, probability=0.4, seed=7))
    # Who can look for a charge does not send its key again, and nothing is charged twice even here.
    sandbox.add_fault(Fault(operation=LISTS, kind=FaultKind.UNAVAILABLE_503))
    await reconciling.duly.run(period=period)
    sandbox.clear_faults()
    # Who was charged and never answered waits for what the reconciliation finds; repeats are compared after that.
    await reconciling.reconcile()
    await until(lambda: is_every_outcome_known(merchant))
    doubled = charged_twice(sandbox)

    await reconciling.reconcile()

    listed = (await cli.json("reconcile", "list", "--kind", "double_charge"))["discrepancies"]
    assert doubled > 0
    assert (len(listed), await reconciling.wrong()) == (doubled, [])
    for one in listed:
        assert one["remedy"].startswith(f"Refund {one['object']}: duly refunds create {one['number']}")
        await cli.json("refunds", "create", one["number"], *WHO)
    certificate = await reconciling.reconcile()
    assert (certificate.open_discrepancies, await reconciling.wrong()) == (0, [])
    balances = await merchant.run("select balance_minor from duly.account_balances where balance_minor <> 0")
    assert balances == []


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
