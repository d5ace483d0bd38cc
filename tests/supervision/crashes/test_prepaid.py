"""What runs and audits do with wallets and vouchers is done once, in whichever of their activities a worker dies.

It is done in SQL, in the commits of activities that have rows already: the matrix knows it by no name of its own.
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from activities.database import Database, DatabaseUnavailableError
from activities.vouchers.vouchers import Vouchers
from sandbox.servers.postgres import PostgresServer
from tests.fixtures.database import table_in_use
from tests.supervision.crashes.crashing_activities import CrashingActivities, Death
from tests.supervision.crashes.dying import is_survived
from tests.supervision.crashes.prepaid import ExpiringScenario, TopUpRunScenario, WalletRunScenario
from tests.supervision.crashes.rows import Pressed
from tests.supervision.scenario import Company, Moment, Scenario
from tests.support.builders import Merchant
from tests.vouchers.conftest import VOUCHERS
from tests.vouchers.voucher_history import hashed

# What reads, freezes, charges and books on the way of each, by the workflow that calls it.
ROWS: Mapping[type[Scenario], tuple[tuple[str, str], ...]] = {
    WalletRunScenario: (
        ("PaymentRun", "freeze_payment_run"),
        ("PaymentRun", "certify_run"),
        ("PaymentRunShard", "due_page"),
        ("PaymentRunShard", "collect"),
    ),
    TopUpRunScenario: (
        ("PaymentRun", "freeze_payment_run"),
        ("PaymentRunShard", "collect"),
        ("Collection", "open_collection"),
        ("Collection", "collect"),
        ("Collection", "close_collection"),
    ),
    ExpiringScenario: (("LedgerAudit", "seal_ledger"),),
}

END_WHO_WAITS = """
    select count(pg_terminate_backend(pid)) from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'
"""


def cases() -> Iterator[Any]:
    """Every row, at either death of its worker."""
    for scenario, called in ROWS.items():
        for workflow, name in called:
            for death in Death:
                yield pytest.param(
                    scenario, workflow, name, death, id=f"{scenario.__name__}, {workflow}, {name}, {death}"
                )


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize(("scenario", "workflow", "name", "death"), list(cases()))
async def test_a_worker_that_dies_costs_nothing_of_what_is_prepaid(
    crashing_company: Company,
    crashing: CrashingActivities,
    scenario: type[Scenario],
    workflow: str,
    name: str,
    death: Death,
) -> None:
    row = (workflow, name, Pressed(Moment.DONE), death)
    await is_survived(crashing_company, crashing, scenario(crashing_company), row)


@pytest.mark.parametrize("death", list(Death))
async def test_a_redemption_whose_caller_dies_is_repeated_under_its_key_and_pays_once(
    merchant: Merchant, database: Database, postgres_server: PostgresServer, database_name: str, death: Death
) -> None:
    """No activity redeems a voucher, but a process that may die: before the commit, or with its answer lost."""
    await merchant.configure(VOUCHERS)
    account = await merchant.account("acc_voucher", cards=[], owes_minor=2500)
    issued = (
        "select duly.issue_vouchers(p_key => 'i', p_type_id => 'given', p_amount_minor => 2500, p_currency => 'EUR',"
    )
    await merchant.value(f"{issued} p_hashes => array[cast(:hash as text)])", hash=hashed("once"))

    async def redeem() -> str:
        redeemed = await Vouchers(database).redeem(account, hashed("once"), key="r1", actor="maria", reason="asked")
        return str(redeemed.number)

    if death is Death.BEFORE:
        async with table_in_use(merchant.engine, "vouchers"):
            redeeming = asyncio.create_task(redeem())
            async with await postgres_server.superuser_session(database_name) as superuser:
                while not (await (await superuser.execute(END_WHO_WAITS)).fetchone() or (0,))[0]:
                    assert not redeeming.done(), "it did not wait"
            with pytest.raises(DatabaseUnavailableError):
                await redeeming
    else:
        await redeem()
    assert await merchant.balance(account) == (2500 if death is Death.BEFORE else 0)

    assert await redeem() == await redeem()
    assert await merchant.balance(account) == 0
    assert await merchant.value("select count(*) from duly.voucher_transactions where kind = 'redeemed'") == 1
    assert await merchant.value("select count(*) from duly.invariant_violations") == 0
