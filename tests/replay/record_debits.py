"""Records the histories of receivables whose provider answers later, as `record.py` does those of cards. By hand:

.venv/bin/pytest tests/replay/record_debits.py
"""

from pathlib import Path

from activities.database import Database
from models.workflow_ids import payment_run_id, shard_id
from settings import Settings
from tests.bank.debits.direct_debits import BY, DirectDebits, credited, returned
from tests.bank.refund_files import status_report
from tests.replay.histories import keep
from tests.replay.record import handle_of
from tests.support.builders import PERIOD, Merchant
from tests.support.command_line import CommandLine
from tests.support.run_control import until
from tests.support.running_duly import RunningDuly
from worker import debit_worker


async def test_waits_for_the_bank(
    duly: RunningDuly, merchant: Merchant, cli: CommandLine, database: Database, settings: Settings, tmp_path: Path
) -> None:
    debits = DirectDebits(merchant, cli, database, tmp_path)
    await debits.set_up()
    for account in ("paid", "refused"):
        await debits.payer(account)
        await cli.json("cards", "prefer", account, "--method", "direct_debit", *BY)

    async with debit_worker(duly.client, database, settings.model_copy(update={"provider": "sepa"})):
        await duly.run("debits")
        await debits.export("1.xml")
        asked = {row.account_id: row.id for row in await merchant.run("select account_id, id from duly.debits")}
        await debits.statement(credited(asked["paid"], "25.00"), name="1-statement.xml")
        await cli.json("debits", "confirm", status_report(tmp_path, (asked["refused"], "RJCT", "AM04")), *BY)

        async def is_asked_again() -> bool:
            return bool(await merchant.value("select count(*) = 3 from duly.debits"))

        async with duly.time_passing():
            await until(is_asked_again)
        [again] = (await debits.export("2.xml"))["debits"]
        await debits.statement(credited(again["id"], "25.00", "B2"), name="2-statement.xml")
        for account in ("paid", "refused"):
            await duly.collected(account)
        await debits.statement(returned(again["id"], "28.00", "MS03"), name="3-statement.xml")

    run = payment_run_id("debits", PERIOD)
    await keep("payment_run-debits_are_pending", handle_of(duly, run))
    await keep("payment_run_shard-debits_are_pending", handle_of(duly, shard_id(run, 0)))
    await keep("collection-waits_for_the_bank", duly.collection("paid"))
    await keep("collection-refused_by_the_bank_then_paid", duly.collection("refused"))
