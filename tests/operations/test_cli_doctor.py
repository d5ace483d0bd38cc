"""The doctor finds what is wrong, says what to do, and looks at everything else as well."""

from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from models.runs.run_control import RunStage
from models.workflow_ids import payment_run_id, schedule_id
from sandbox.servers.mail import Mailbox
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine, CommandResult
from tests.support.run_control import found_by
from workflows.client import connect
from workflows.visibility import STAGE


def verdicts(result: CommandResult) -> dict[str, str]:
    return {check["check"]: check["verdict"] for check in result.document["checks"]}


def advice(result: CommandResult, check: str) -> Any:
    return next(found["advice"] for found in result.document["checks"] if found["check"] == check)


@pytest.fixture
async def checking_schedules(cli: CommandLine, merchant: Merchant, temporal_server: Client) -> AsyncIterator[None]:
    """The schedules that look after an installation. The namespace is shared: they go with the test."""
    prepared = await cli.json("namespace", "prepare")
    yield
    for one in prepared["schedules"]:
        await temporal_server.get_schedule_handle(schedule_id(one["schedule"])).delete()


async def test_a_healthy_installation_is_found_healthy(
    cli: CommandLine, merchant: Merchant, checking_schedules: None, workers: None, mailbox: Mailbox
) -> None:
    result = await cli("doctor", "--json", DULY_SMTP_URL=mailbox.url)

    assert set(verdicts(result).values()) == {"ok"}
    assert (result.exit_code, result.document["healthy"]) == (0, True)


async def test_mail_that_is_not_asked_for_is_off_and_not_wrong(
    cli: CommandLine, merchant: Merchant, workers: None
) -> None:
    result = await cli("doctor", "--json")

    assert (result.exit_code, verdicts(result)["mail"]) == (0, "off")


@pytest.mark.parametrize(
    ("setting", "value", "check"),
    [
        ("STRIPE_API_KEY", "sk_test_wrong", "gateway"),
        ("STRIPE_API_BASE", "http://127.0.0.1:1", "gateway"),
        ("DULY_DATABASE_URL", "postgresql+psycopg://a:b@127.0.0.1:1/duly", "database"),
        ("DULY_TEMPORAL_ADDRESS", "127.0.0.1:1", "Temporal"),
        ("DULY_TEMPORAL_NAMESPACE", "nowhere", "Temporal namespace"),
        ("DULY_SMTP_URL", "smtp://127.0.0.1:1", "mail"),
        ("DULY_PROVIDER", "other", "provider"),
    ],
)
async def test_what_is_wrong_is_named_with_what_to_do(
    cli: CommandLine, merchant: Merchant, workers: None, setting: str, value: str, check: str
) -> None:
    result = await cli("doctor", "--json", **{setting: value})

    assert (result.exit_code, verdicts(result)[check]) == (1, "wrong")
    assert advice(result, check)


async def test_a_key_of_the_other_mode_is_found(cli: CommandLine, merchant: Merchant, workers: None) -> None:
    await merchant.run("update duly.providers set mode = 'live'")

    result = await cli("doctor", "--json")

    assert verdicts(result)["provider"] == "wrong"


@pytest.mark.nightly
async def test_payloads_that_others_do_not_encrypt_and_those_that_this_process_cannot_read_are_found(
    cli: CommandLine, merchant: Merchant, temporal_server: Client, temporal_address: str, period: str
) -> None:
    ours, theirs = ({name: letter * 32} for name, letter in (("2026-11", b"n"), ("2026-05", b"o")))
    with_ours = {"DULY_PAYLOAD_KEYS": f"2026-11:{b64encode(ours['2026-11']).decode()}"}

    await start_one(temporal_server, f"plain-{period}")
    without = [await payload_encryption(cli), await payload_encryption(cli, **with_ours)]
    await start_one(await connect(temporal_address, namespace="default", payload_keys=ours), f"ours-{period}")
    same = [await payload_encryption(cli, **with_ours), await payload_encryption(cli)]
    await start_one(await connect(temporal_address, namespace="default", payload_keys=theirs), f"theirs-{period}")
    other = await payload_encryption(cli, **with_ours)

    assert [verdict for verdict, _ in without] == ["ok", "warning"]
    assert same == [
        ("ok", "on, by the key 2026-11"),
        ("wrong", "the newest workflow is encrypted by the key 2026-11, which this process does not have"),
    ]
    assert other[0] == "wrong"
    assert "by the key 2026-05" in other[1]


async def start_one(client: Client, name: str) -> None:
    """Start a workflow that nobody works on, and wait until it can be listed."""
    await client.start_workflow("Nothing", name, id=name, task_queue="nobody")
    await found_by(client, f"WorkflowId = '{name}'", name)


async def payload_encryption(cli: CommandLine, **settings: str) -> tuple[str, str]:
    document = (await cli("doctor", "--json", **settings)).document
    (found,) = [check for check in document["checks"] if check["check"] == "payload encryption"]
    return found["verdict"], found["found"]


async def test_a_queue_that_nobody_polls_is_found(cli: CommandLine, merchant: Merchant) -> None:
    await merchant.run("insert into duly.providers (id, gateway, mode) values ('lonely', 'stripe', 'test')")

    result = await cli("doctor", "--json")

    assert verdicts(result)["worker on duly-gateway-lonely"] == "wrong"
    assert advice(result, "worker on duly-gateway-lonely").startswith("start `worker.py --role gateway`;")


async def test_a_database_that_is_behind_is_found_and_migrated(
    cli: CommandLine, merchant: Merchant, owner_engine: AsyncEngine
) -> None:
    async with owner_engine.begin() as connection:
        await connection.execute(text("update duly.alembic_version set version_num = '0000'"))

    result = await cli("doctor", "--json")

    assert verdicts(result)["database schema"] == "wrong"
    advised = "run `duly migrate` of the newer release, then restart what is older"
    assert advice(result, "database schema") == advised


async def test_a_role_that_could_write_money_is_found(
    cli: CommandLine, merchant: Merchant, owner_database_url: str
) -> None:
    result = await cli("doctor", "--json", DULY_DATABASE_URL=owner_database_url)

    assert verdicts(result)["database role"] == "wrong"


async def test_a_month_that_is_due_and_has_no_run_is_found_with_the_command_that_runs_it(
    cli: CommandLine, merchant: Merchant
) -> None:
    await merchant.run("update duly.run_definitions set created_at = '2026-01-01' where kind = 'billing'")
    await merchant.run(
        "insert into duly.process_runs (id, definition_id, kind, period) values"
        " ('billing/plans/2020-01', 'plans', 'billing', '2020-01')"
    )

    result = await cli("doctor", "--json")

    assert verdicts(result)["months"] == "warning"
    assert "`duly billing start plans 2020-02`" in advice(result, "months")
    assert "--over-nobody" in advice(result, "months")


async def test_settings_that_are_wrong_are_all_named_and_nothing_else_is_looked_at(cli: CommandLine) -> None:
    result = await cli("doctor", "--json", STRIPE_API_KEY=None, DULY_TEMPORAL_ADDRESS="nonsense")

    found = [check["found"] for check in result.document["checks"] if check["check"] == "settings"]
    assert result.exit_code == 1
    assert found == [
        "DULY_TEMPORAL_ADDRESS: must be host:port",
        "STRIPE_API_KEY: is not set: Stripe secret or restricted key. See docs/operations.md.",
    ]
    assert verdicts(result)["database"] == "not checked"


async def test_where_no_setting_is_given_the_advice_is_to_set_them_all(cli: CommandLine) -> None:
    result = await cli("doctor", "--json", STRIPE_API_KEY=None, DULY_TEMPORAL_ADDRESS=None)

    advised = [check["advice"] for check in result.document["checks"] if check["check"] == "settings"]
    assert [text.partition(";")[0] for text in advised] == [
        *("set DULY_TEMPORAL_ADDRESS", "set STRIPE_API_KEY", "set them all")
    ]


async def test_migrating_a_database_that_is_up_to_date_changes_nothing(cli: CommandLine) -> None:
    result = await cli.json("migrate")

    assert result["before"] == result["after"]


async def test_migrating_a_database_that_is_not_there_is_unreachable(cli: CommandLine) -> None:
    result = await cli("migrate", "--json", DULY_MIGRATION_DATABASE_URL="postgresql+psycopg://a:b@127.0.0.1:1/duly")

    assert (result.exit_code, result.rules) == (3, [("DULY_MIGRATION_DATABASE_URL", "database_reachable")])


async def test_migrating_a_database_of_a_newer_release_is_refused(
    cli: CommandLine, merchant: Merchant, owner_engine: AsyncEngine
) -> None:
    async with owner_engine.begin() as connection:
        await connection.execute(text("update duly.alembic_version set version_num = '9999'"))

    result = await cli("migrate", "--json")

    assert (result.exit_code, result.rules) == (1, [("database", "migration_applies")])
    assert "at revision 9999, which this release does not have" in result.error["problems"][0]["message"]


async def test_migrating_while_a_table_is_in_use_says_to_run_it_again(
    cli: CommandLine, merchant: Merchant, owner_engine: AsyncEngine
) -> None:
    async with owner_engine.begin() as connection:
        await connection.execute(text("update duly.installation set functions_hash = 'older'"))
    async with owner_engine.begin() as reader:
        await reader.execute(text("select count(*) from duly.owned_invoices"))

        result = await cli("migrate", "--json", DULY_LOG_LEVEL="INFO")

    assert (result.exit_code, result.rules) == (1, [("database", "migration_applies")])
    assert result.error["problems"][0]["message"].endswith("run it again for the rest")


async def test_migrating_under_the_runtime_role_is_refused(
    cli: CommandLine, merchant: Merchant, database_url: str, owner_engine: AsyncEngine
) -> None:
    async with owner_engine.begin() as connection:
        await connection.execute(text("update duly.installation set functions_hash = 'older'"))

    result = await cli("migrate", "--json", DULY_MIGRATION_DATABASE_URL=database_url)

    assert (result.exit_code, result.rules) == (1, [("database", "migration_applies")])
    assert "the tables belong to duly_owner, and this is duly_runtime" in result.error["problems"][0]["message"]


async def test_what_somebody_changed_in_the_database_is_named_and_migrate_puts_functions_and_views_back(
    cli: CommandLine, merchant: Merchant, owner_engine: AsyncEngine
) -> None:
    async with owner_engine.begin() as connection:
        for statement in (
            "alter function duly.least_of(duly.classification) set search_path = public",
            "create function duly.mine() returns int language sql as $$ select 1 $$",
            "drop view duly.report_seals",
            "alter table duly.transfers disable trigger guard_new_transfers",
            "drop trigger guard_counterpart on duly.financial_transactions",
        ):
            await connection.execute(text(statement))

    found = await schema_of(cli)
    await cli.json("migrate")
    left = await schema_of(cli)

    triggers = (
        "trigger guard_counterpart on duly.financial_transactions (missing), "
        "trigger guard_new_transfers on duly.transfers (disabled)"
    )
    assert found == (
        "changed by hand: function duly.least_of(duly.classification) (changed), function duly.mine() (added), "
        f"rights on duly.report_seals (missing), {triggers}, view duly.report_seals (missing)"
    )
    assert left == f"changed by hand: {triggers}"


async def schema_of(cli: CommandLine) -> str:
    document = (await cli("doctor", "--json")).document
    (found,) = [check["found"] for check in document["checks"] if check["check"] == "database schema"]
    return str(found)


async def test_the_table_fits_100_columns(cli: CommandLine, merchant: Merchant) -> None:
    result = await cli("doctor")

    table, _, _ = result.stdout.partition("What to do:")
    assert max(map(len, table.splitlines())) <= 100


async def test_a_paused_schedule_and_a_paused_run_are_named_with_what_lets_them_go_on(
    cli: CommandLine, merchant: Merchant, checking_schedules: None, temporal_server: Client, period: str
) -> None:
    run = payment_run_id("monthly", period)
    await temporal_server.get_schedule_handle(schedule_id("supervisor:all")).pause(note="an upgrade")
    # Nobody works: what is written about a workflow when it starts is all that is known of it.
    await temporal_server.start_workflow(
        "PaymentRun",
        id=run,
        task_queue="nobody-works-here",
        search_attributes=TypedSearchAttributes([SearchAttributePair(STAGE, RunStage.PAUSED)]),
    )
    await found_by(temporal_server, f"WorkflowId = '{run}' AND Stage = 'paused'", run)

    result = await cli("doctor", "--json")
    listed = await cli.json("runs", "list", "--state", "paused")

    assert listed["runs"] == []
    assert verdicts(result)["schedules"] == verdicts(result)["runs"] == "warning"
    assert f"`duly runs resume {run}`" in advice(result, "runs")
