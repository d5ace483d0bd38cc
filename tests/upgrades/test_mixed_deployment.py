"""While workers of the last release go on: what today's clients send them, and members under names they do not know."""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from models.collections.collection import CollectionRequest
from models.runs.process_run import DueMember, RunRequest, ShardRequest
from models.workflow_ids import collection_id
from sandbox.workers import running_worker
from tests.contract.run_examples import EXAMPLES
from tests.house.source import ROOT
from tests.ledger.books import plain_url
from tests.support.builders import declined
from tests.upgrades.deployed_release import DeployedRelease, deployed
from tests.upgrades.kept_release import releases
from tests.upgrades.months import bill, start_payments
from workflows.inputs.newer_fields import DATA_CONVERTER, NEWER_FIELDS

PERIOD = "2026-11"
# A service has collected under the month: the run's member gets the next name, which 0.1.0 does not know of.
NAMED = "2026-11-2"

# What a run of today starts a shard with, and what a shard of today goes on with while payments are under way.
FIRST_OF_A_SHARD = ShardRequest("payment/monthly/2026-11", PERIOD, "stripe", 0, 300, 250)

# Run with a release's own code: read one argument of each kind as its workers do, and say what is wrong with it.
READ = """
import json, sys
from datetime import datetime, timezone
from temporalio.api.common.v1 import Payload
from models.workflow_inputs import TEXT_RULES, problems_of_input
from workflows.inputs.decoding import Refused, read
kinds = {kind.__name__: kind for kind in TEXT_RULES}
def problems(name, text):
    found = read([Payload(metadata={"encoding": b"json/plain"}, data=text.encode())], [kinds[name]])
    if isinstance(found, Refused):
        return list(found.problems)
    return problems_of_input(found[0], datetime(2026, 12, 31, tzinfo=timezone.utc))
sent = json.load(sys.stdin)
print(json.dumps([[f"{one.field}: {one.rule}" for one in problems(n, t)] if n in kinds else None for n, t in sent]))
"""


async def read_by_last_release(folder: Path, *requests: object) -> list[list[str] | None]:
    """Send requests as today's client does; return what the last release refuses of each, None for a kind it lacks."""
    [*payloads] = DATA_CONVERTER.payload_converter.to_payloads(requests)
    sent = [
        (type(request).__name__, payload.data.decode()) for request, payload in zip(requests, payloads, strict=True)
    ]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        READ,
        cwd=releases()[-1].unpack_code(folder),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    written, _ = await process.communicate(json.dumps(sent).encode())
    answer: list[list[str] | None] = json.loads(written)
    return answer


async def test_whatever_the_last_release_could_do_todays_client_can_start_there(tmp_path: Path) -> None:
    sent = {name: example.request for name, example in EXAMPLES.items()} | {"PaymentRunShard": FIRST_OF_A_SHARD}

    answers = dict(zip(sent, await read_by_last_release(tmp_path, *sent.values()), strict=True))

    known = {name: refused for name, refused in answers.items() if refused is not None}
    assert {"Collection", "PaymentRun", "PaymentRunShard", "Refund", "RefundRun"} <= known.keys()
    assert {name: refused for name, refused in known.items() if refused} == {}
    assert NEWER_FIELDS.keys() <= {type(request) for request in sent.values()}


async def test_what_the_last_release_cannot_do_it_refuses_instead_of_doing_half_of_it(tmp_path: Path) -> None:
    answers = await read_by_last_release(
        tmp_path,
        CollectionRequest("acc_42", PERIOD, amount_minor=5000, currency="EUR"),
        CollectionRequest("acc_42", "2026-11-order-4711"),
        replace(FIRST_OF_A_SHARD, after="acc_41", carried=(DueMember("acc_40", "10.00 EUR"),)),
        RunRequest("monthly", PERIOD, supplement=1),
        RunRequest("monthly", PERIOD, over_nobody=True),
    )

    assert answers == [
        ["amount_minor: field_known", "currency: field_known"],
        ["period: period_is_a_month"],
        ["carried: field_known"],
        ["supplement: field_known"],
        ["over_nobody: field_known"],
    ]


async def ask(duly: DeployedRelease, statement: str, **arguments: Any) -> list[dict[str, Any]]:
    """Run a statement as the owner of the tables."""
    async with await psycopg.AsyncConnection.connect(
        plain_url(duly.postgres.owner_url()), autocommit=True, row_factory=dict_row
    ) as connection:
        cursor = await connection.execute(statement.encode(), arguments)
        return await cursor.fetchall() if cursor.description else []


async def who_pays_and_is_billed_again(duly: DeployedRelease) -> tuple[str, str]:
    """Collect a month from an account by the old command line, and bill it once more; return account and card."""
    [row] = await ask(
        duly,
        "select c.account_id, c.token from duly.cards c join duly.account_balances b on b.account_id = c.account_id"
        " where b.balance_minor > 500 and c.brand = 'visa' and c.last4 = '4242' and c.state = 'active' limit 1",
    )
    account = str(row["account_id"])
    collected = await duly.command(duly.code, "collections", "start", account, PERIOD)
    assert collected["first_outcome"]["outcome"] == "settled"
    await ask(
        duly,
        "select duly.create_invoice('late', a.id, a.currency, jsonb_build_array(jsonb_build_object('product_id',"
        " (select product_id from duly.transaction_lines limit 1), 'quantity', 1, 'unit_price_minor', 700,"
        " 'net_minor', 700, 'tax_rate_id', null, 'tax_minor', 0, 'total_minor', 700)), p_issued_on => '2026-11-01')"
        " from duly.accounts a where a.id = %(account)s",
        account=account,
    )
    return account, str(row["token"])


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_declined_member_that_an_old_shard_hands_over_under_its_month_is_resumed_under_its_name(
    tmp_path: Path,
) -> None:
    async with deployed(releases()[-1], tmp_path) as duly:
        await duly.prepare(ROOT)
        async with running_worker(duly.stack, name="old", argv=duly.worker_of(duly.code)):
            await bill(duly, duly.code, PERIOD)
            account, token = await who_pays_and_is_billed_again(duly)
            duly.control.script_card(token, declined("insufficient_funds"))
            payments = await start_payments(duly, duly.code, PERIOD)
            async with asyncio.timeout(120):
                await payments.result()
        # It knows the member by its month alone, which is another receivable: nothing is charged, nothing is owned.
        [left] = await ask(
            duly,
            "select state from duly.gateway_requests where account_id = %(id)s and period = %(name)s",
            id=account,
            name=NAMED,
        )
        assert left["state"] == "under_processing"
        await ask(duly, "update duly.gateway_requests set created_at = created_at - interval '1 hour'")

        async with running_worker(duly.stack, name="new", argv=duly.worker_of(ROOT)):
            await duly.command(ROOT, "supervise")
            resumed = duly.client.get_workflow_handle(collection_id(account, NAMED))
            async with asyncio.timeout(240):
                while not await is_declined(resumed):  # noqa: ASYNC110  # another process's state
                    await asyncio.sleep(0.1)
            who = ("--actor", "ada", "--reason", "has money again")
            await duly.command(ROOT, "collections", "retry", account, NAMED, *who)
            result = await resumed.result()

        assert (result["stage"], result["amount_minor"], result["attempts"]) == ("settled", 700, 2)
        balance = "select balance_minor from duly.account_balances where account_id = %(id)s"
        assert await ask(duly, balance, id=account) == [{"balance_minor": 0}]


async def is_declined(resumed: WorkflowHandle[Any, Any]) -> bool:
    """Say whether a resumed collection is there and knows that its first attempt was declined."""
    try:
        return bool((await resumed.query("status"))["stage"] == "dunning")
    except RPCError:
        return False
