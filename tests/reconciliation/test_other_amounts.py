"""A gateway that moves another amount than was posted is noticed when it does, and by its day's reconciliation once."""

import pytest
import structlog
from structlog.testing import capture_logs

from activities.database import Database
from activities.gateway import translation
from activities.gateway.stripe_gateway import StripeGateway
from sandbox.stripe.control.client import AT_ONCE, STRIPES_DELAYS, AccountSettings, SandboxControl
from tests.disputes.test_disputes import held
from tests.fixtures.reconciling import ReconciliationClient
from tests.fixtures.refunds import RefundClient
from tests.support.command_line import CommandLine
from tests.support.invariants import day_ends

WHO = ("--actor", "maria", "--reason", "the bank kept a cent")
ONE_CENT_LESS = AccountSettings(books_off_by=-1)


@pytest.fixture
async def paid_less(reconciling: ReconciliationClient, period: str) -> str:
    """An account whose payment of 25.00 EUR the gateway books as 24.99."""
    reconciling.sandbox.set_account_settings(ONE_CENT_LESS)
    reconciling.sandbox.set_delays(STRIPES_DELAYS)
    account = await reconciling.merchant.account()
    await reconciling.paid(account, period)
    return account


async def test_it_is_a_discrepancy_at_once_and_is_listed_logged_and_alerted(
    paid_less: str,
    reconciling: ReconciliationClient,
    cli: CommandLine,
    database: Database,
    gateway: StripeGateway,
    stripe_sandbox: SandboxControl,
) -> None:
    with capture_logs() as logged:
        first = await day_ends(stripe_sandbox, database, gateway)
        second = await day_ends(stripe_sandbox, database, gateway)

    assert (first.booked, first.differing) == (1, 1)
    assert second.booked == 0
    assert [(each["log_level"], each["differing"]) for each in logged if each["event"] == "movements_differ"] == [
        ("warning", 1)
    ]
    (found,) = await reconciling.discrepancies()
    assert (found.kind, found.state, found.account_id) == ("differs", "open", paid_less)
    assert (found.evidence["amount_minor"], found.evidence["booked_minor"]) == (2499, 2500)
    (listed,) = (await cli.json("movements", "list", "--differing"))["movements"]
    assert (listed["settled_minor"], listed["amount_minor"], listed["is_differing"]) == (2499, 2500, True)
    assert "(differs)" in (await cli("movements", "list")).stdout
    assert "1 in which gateway and ledger differ are open" in (await cli("doctor", "--json")).stdout
    alerts = await reconciling.merchant.run("select audience from duly.messages where kind = 'discrepancies_found'")
    assert [alert.audience for alert in alerts] == ["operator"]


async def test_an_answer_that_names_another_amount_is_logged_and_listed(
    reconciling: ReconciliationClient, period: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One that was used under an older configuration of logs keeps it, and nothing of it is captured.
    monkeypatch.setattr(translation, "log", structlog.get_logger())
    reconciling.sandbox.set_account_settings(ONE_CENT_LESS)
    reconciling.sandbox.set_delays(AT_ONCE)
    account = await reconciling.merchant.account()

    with capture_logs() as logged:
        await reconciling.paid(account, period)

    (warning,) = [each for each in logged if each["event"] == "movement_differs"]
    assert (warning["amount_minor"], warning["expected_minor"]) == (2499, 2500)
    assert [(each.kind, each.state) for each in await reconciling.discrepancies()] == [("differs", "open")]


async def test_a_refund_of_another_amount_is_noticed_and_a_dispute_is_booked_as_what_the_bank_took(
    refunds: RefundClient,
) -> None:
    payment, other = await refunds.paid(2500, 4000)
    charge = await refunds.merchant.value(
        "select object from duly.gateway_expectations where payment_id = :id", id=other
    )
    refunds.sandbox.set_delays(STRIPES_DELAYS)
    refunds.sandbox.create_dispute(charge)
    await refunds.deliver_events()
    await refunds.duly.environment.sleep(1)
    refunds.sandbox.set_account_settings(ONE_CENT_LESS)

    await refunds.start(payment, 1000)
    refunds.sandbox.advance(STRIPES_DELAYS.withdrawal)
    await refunds.deliver_events()
    await refunds.duly.environment.sleep(1)

    found = await refunds.merchant.run(
        "select evidence ->> 'kind', evidence ->> 'booked_minor', evidence ->> 'amount_minor' from duly.discrepancies"
        " where kind = 'differs' and state = 'open' order by 1"
    )
    assert [tuple(row) for row in found] == [("refund", "-1000", "-1001")]
    assert await held(refunds) == 4001


@pytest.mark.usefixtures("paid_less")
async def test_reconciling_the_day_finds_the_same_discrepancy_and_no_other(
    reconciling: ReconciliationClient, database: Database, gateway: StripeGateway, stripe_sandbox: SandboxControl
) -> None:
    await day_ends(stripe_sandbox, database, gateway)

    certificate = await reconciling.reconcile()

    assert certificate.open_discrepancies == 1
    assert [(each.kind, each.state) for each in await reconciling.discrepancies()] == [("differs", "open")]
    assert [(each.unbooked_minor, each.difference_minor) for each in certificate.balances] == [(-1, 0)]


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("is_reconciled_first", [True, False])
@pytest.mark.usefixtures("paid_less")
async def test_once_it_is_explained_it_is_not_found_again(
    reconciling: ReconciliationClient,
    cli: CommandLine,
    database: Database,
    gateway: StripeGateway,
    stripe_sandbox: SandboxControl,
    *,
    is_reconciled_first: bool,
) -> None:
    await day_ends(stripe_sandbox, database, gateway)
    if is_reconciled_first:
        await reconciling.reconcile()
    (found,) = await reconciling.discrepancies()

    await cli.json("reconcile", "resolve", found.id, "--as", "explained", *WHO)
    certificate = await reconciling.reconcile()

    assert certificate.open_discrepancies == 0
    assert [(each.kind, each.state) for each in await reconciling.discrepancies()] == [("differs", "resolved")]
    assert [(each.unbooked_minor, each.difference_minor) for each in certificate.balances] == [(-1, 0)]
    assert "none between gateway and ledger is open" in (await cli("doctor", "--json")).stdout
    still = (await cli.json("movements", "list", "--differing"))["movements"]
    assert len(still) == 1
