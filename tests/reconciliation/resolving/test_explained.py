"""What a person has explained stays ended, wherever it was shown, until the facts change."""

import pytest
from sqlalchemy import text
from starlette.applications import Starlette

from activities.events.movements import ExpectationQueries
from activities.operations.measured import Measured
from activities.operations.measures import Measures
from tests.fixtures.reconciling import ReconciliationClient
from tests.reconciliation.dashboard import pay_in_the_dashboard
from tests.reconciliation.test_cli_reconcile import WHO
from tests.reconciliation.test_found_by_events import deliver, until_found
from tests.reconciliation.test_methods import pay_by
from tests.support.command_line import CommandLine

OVERDUE = (
    "update duly.gateway_expectations set object = 'ch_forged', movement = null, fulfilled_at = null,"
    " settled_minor = null, settled_currency = null, fee_minor = null, expected_at = expected_at - interval '25 hours',"
    " due_at = due_at - interval '25 hours', overdue_at = now() - interval '1 hour' where kind = 'charge'"
)
WANTED = "select (w ->> 'overdue')::integer, w -> 'oldest', w -> 'due' from duly.movements_wanted('stripe', 10) w"


async def overdue(reconciling: ReconciliationClient) -> list[float]:
    """Return how many movements each place counts as overdue."""
    measures = await Measures(reconciling.database).in_database()
    return [
        sum(one.value for one in measures if one.what is Measured.OVERDUE_MOVEMENTS),
        await ExpectationQueries(reconciling.database).overdue(),
        await reconciling.merchant.value("select duly.movements_wanted('stripe', 10) ->> 'overdue'"),
    ]


async def test_a_movement_whose_absence_is_explained_is_overdue_nowhere_and_looked_up_no_more(
    cli: CommandLine, reconciling: ReconciliationClient, period: str
) -> None:
    await reconciling.paid(await reconciling.merchant.account(), period)
    async with reconciling.owner_engine.begin() as connection:
        await connection.execute(text(OVERDUE))
    await reconciling.reconcile()
    before = [int(one) for one in await overdue(reconciling)]

    for one in await reconciling.discrepancies():
        if one.state == "open":
            await cli.json("reconcile", "resolve", one.id, "--as", "explained", *WHO)
    certificate = await reconciling.reconcile()

    assert (before, [int(one) for one in await overdue(reconciling)]) == ([1, 1, 1], [0, 0, 0])
    (wanted,) = await reconciling.merchant.run(WANTED)
    assert (wanted[1], wanted[2]) == (None, [])
    assert certificate.open_discrepancies == 0


@pytest.mark.nightly
async def test_what_an_event_named_and_a_person_has_explained_is_not_found_again_by_its_day(
    cli: CommandLine, reconciling: ReconciliationClient, stripe_app: Starlette
) -> None:
    account = await reconciling.merchant.account(owes_minor=700)
    await pay_in_the_dashboard(reconciling, account, 700)
    # A method that is none of ours: money has moved, and a rule refuses to book it.
    pay_by(stripe_app, "klarna")
    await deliver(reconciling)
    await until_found(reconciling, "refused")
    (found,) = await reconciling.discrepancies()

    await cli.json("reconcile", "resolve", found.id, "--as", "explained", *WHO)
    certificates = [await reconciling.reconcile() for _ in range(2)]

    assert [one.open_discrepancies for one in certificates] == [0, 0]
    assert [(one.kind, one.state) for one in await reconciling.discrepancies()] == [("refused", "resolved")]
