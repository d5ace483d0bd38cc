"""Money in a currency that the ledger does not have, or finer than it has it: listed for a person, nothing stops."""

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError

from models.workflow_ids import WORKFLOW_QUEUE, dispute_id
from sandbox.stripe.control.client import AccountSettings
from tests.fixtures.reconciling import ReconciliationClient
from tests.reconciliation.dashboard import pay, pay_in_the_dashboard
from tests.reconciliation.payouts.test_payouts import AT_ONCE
from tests.support.command_line import CommandLine

# The lev gave way to the euro in 2026; the krona has no decimals in the ledger and two at the gateway.
LEVA = AccountSettings(settlement_currency="bgn", exchange_rates={"eur": 1.95583})
KRONUR = AccountSettings(settlement_currency="isk", exchange_rates={"eur": 150.333})
WHO = ("--actor", "maria", "--reason", "booked by hand in euro")


async def listed(reconciling: ReconciliationClient) -> list[tuple[str, str, str]]:
    """Kind, currency and state of every discrepancy."""
    return sorted((one.kind, one.currency, one.state) for one in await reconciling.discrepancies())


@pytest.mark.nightly
async def test_a_payment_that_is_settled_in_leva_is_listed_and_its_balance_is_explained(
    cli: CommandLine, reconciling: ReconciliationClient, period: str
) -> None:
    account = await reconciling.merchant.account()
    reconciling.sandbox.set_account_settings(LEVA)
    await reconciling.paid(account, period)

    first = await reconciling.reconcile()
    again = await reconciling.reconcile()
    [one] = (await cli.json("reconcile", "list"))["discrepancies"]
    await cli.json("reconcile", "resolve", one["id"], "--as", "explained", *WHO)
    last = await reconciling.reconcile()

    # 25.00 EUR at 1.95583.
    assert (one["kind"], one["account_id"], one["amount_minor"], one["currency"]) == (
        "unknown_currency",
        account,
        4890,
        "bgn",
    )
    assert [row.currency for row in first.balances] == ["EUR", "bgn"]
    assert [row.difference_minor for row in last.balances] == [0, 0]
    assert [done.open_discrepancies for done in (first, again, last)] == [1, 1, 0]
    assert await reconciling.merchant.balance(account) == 0


@pytest.mark.slow
async def test_what_the_books_say_in_leva_can_be_read_by_people(
    cli: CommandLine, reconciling: ReconciliationClient
) -> None:
    account = await reconciling.merchant.account()
    await pay_in_the_dashboard(reconciling, account, 2500, currency="bgn")
    day = (await reconciling.reconcile()).day

    shown = await cli("reconcile", "show", f"{day}")
    listing = await cli("reconcile", "list")

    # What is open is said by the exit code too.
    assert (shown.exit_code, listing.exit_code) == (1, 0)
    assert "gateway units of BGN" in shown.stdout
    assert "2500" in listing.stdout


@pytest.mark.gate_cases(2)
@pytest.mark.parametrize(
    ("at_gateway", "charged_in", "currency", "listed_objects"),
    [
        (AccountSettings(), "bgn", "bgn", 3),
        (LEVA, "eur", "bgn", 3),
        # What is paid out is whole kronur, and booked.
        (KRONUR, "eur", "isk", 2),
    ],
)
async def test_payments_refunds_and_payouts_in_such_a_currency_are_listed_and_not_booked(
    reconciling: ReconciliationClient, at_gateway: AccountSettings, charged_in: str, currency: str, listed_objects: int
) -> None:
    reconciling.sandbox.set_account_settings(at_gateway)
    reconciling.sandbox.set_delays(AT_ONCE)
    account = await reconciling.merchant.account()
    await pay_in_the_dashboard(reconciling, account, 2500, currency=charged_in)
    [charge] = (await reconciling.stripe.v1.charges.list_async({"limit": 1})).data
    await reconciling.stripe.v1.refunds.create_async({"charge": charge.id, "amount": 1000})
    reconciling.sandbox.pay_out()

    certificate = await reconciling.reconcile()

    assert set(await listed(reconciling)) == {("unknown_currency", currency, "open")}
    assert certificate.open_discrepancies == listed_objects
    assert [(row.currency, row.difference_minor) for row in certificate.balances] == [(currency, 0)]
    assert await reconciling.merchant.value("select count(*) from duly.gateway_bookings where kind = 'fee'") == 0


async def test_a_dispute_of_a_payment_in_leva_is_refused_by_its_rule(reconciling: ReconciliationClient) -> None:
    customer = await reconciling.stripe.v1.customers.create_async()
    await pay(reconciling, customer.id, 2500, currency="bgn")
    [charge] = (await reconciling.stripe.v1.charges.list_async({"limit": 1})).data
    dispute = reconciling.sandbox.create_dispute(charge.id)

    with pytest.raises(WorkflowFailureError) as refused:
        await reconciling.duly.client.execute_workflow(
            "Dispute", {"dispute_id": dispute["id"]}, id=dispute_id(dispute["id"]), task_queue=WORKFLOW_QUEUE
        )

    assert isinstance(refused.value.cause, ActivityError)
    assert isinstance(refused.value.cause.cause, ApplicationError)
    assert refused.value.cause.cause.type == "payment_known"
