"""`duly recover` leads through a recovery and names the next step."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from activities.database import Database
from activities.recovery.temporal_memory import TemporalMemory
from models.recovery.beat import Beat
from tests.merchants.onboarding import participating
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine


async def hold(database: Database, *, is_certain: bool = True) -> None:
    await database.call(
        "hold_sending",
        provider_id="stripe",
        reason="a restore",
        forgot_since="2026-11-01T00:00:00Z",
        is_certain=is_certain,
    )


async def test_where_nothing_is_held_it_says_so(cli: CommandLine, merchant: Merchant) -> None:
    shown = await cli("recover", "show", "--json")

    assert (shown.exit_code, shown.document["state"]) == (0, "open")


async def test_a_recovery_is_led_through_to_its_release(
    cli: CommandLine, merchant: Merchant, database: Database, owner_engine: AsyncEngine
) -> None:
    await hold(database)

    held = await cli("recover", "show")
    declared = await cli("recover", "declare", "--reason", "a test")
    too_early = await cli("recover", "read")
    await ago(owner_engine, 16)
    first = await cli("recover", "read")
    await ago(owner_engine, 11)
    second = await cli("recover", "read")
    released = await cli("recover", "release", "--reason", "all is known", "--json")

    assert "recover declare" in held.stdout
    assert "recover read" in declared.stdout
    assert (too_early.exit_code, "requests_are_over" in too_early.stderr) == (1, True)
    assert "again" in first.stdout
    assert "recover release" in second.stdout
    assert (released.exit_code, released.document["state"], released.document["epoch"]) == (0, "open", 2)


@pytest.mark.parametrize("is_forgotten", [False, True])
async def test_a_merchants_provider_without_its_account_is_released_too_after_what_was_made_on_a_forgotten_one_was_read(
    cli: CommandLine, merchant: Merchant, database: Database, owner_engine: AsyncEngine, is_forgotten: bool
) -> None:
    await participating(merchant, "cafe")
    await merchant.run("insert into duly.providers (id, gateway, mode) values ('cafe', 'stripe', 'test')")
    await merchant.run("select duly.assign_provider('cafe', 'cafe')")
    if is_forgotten:
        ours = {"duly_installation": await merchant.value("select id from duly.installation")}
        account = await merchant.stripe.v1.accounts.create_async({"metadata": {**ours, "duly_merchant": "cafe"}})
        await merchant.stripe.v1.payment_intents.create_async(
            {"amount": 700, "currency": "eur", "metadata": ours}, {"stripe_account": account.id}
        )
    await hold(database)

    await cli("recover", "declare", "--reason", "a test", DULY_PROVIDER="cafe")
    await ago(owner_engine, 16)
    first = await cli("recover", "read", "--json", DULY_PROVIDER="cafe")
    await ago(owner_engine, 11)
    await cli("recover", "read", DULY_PROVIDER="cafe")
    acknowledged = ("--acknowledge",) if is_forgotten else ()
    released = await cli("recover", "release", "--reason", "known", *acknowledged, "--json", DULY_PROVIDER="cafe")

    assert first.exit_code == 0, first.stderr
    assert first.document["reads"][0]["found"].get("payment", 0) == (1 if is_forgotten else 0)
    assert (released.exit_code, released.document["state"]) == (0, "open")


async def test_a_changeover_that_lost_nothing_is_dismissed_with_a_reason(
    cli: CommandLine, merchant: Merchant, database: Database
) -> None:
    await hold(database, is_certain=False)

    shown = await cli("recover", "show")
    dismissed = await cli("recover", "dismiss", "--actor", "maria", "--reason", "a planned switchover", "--json")
    again = await cli("recover", "dismiss", "--reason", "a planned switchover")

    assert "recover dismiss" in shown.stdout
    assert (dismissed.document["state"], dismissed.document["epoch"]) == ("open", 1)
    assert "nothing forgotten, says maria: a planned switchover" in dismissed.document["decisions"][0]
    assert (again.exit_code, "restore_is_noticed" in again.stderr) == (1, True)


async def test_what_is_known_to_be_forgotten_is_not_dismissed(
    cli: CommandLine, merchant: Merchant, database: Database
) -> None:
    await hold(database, is_certain=False)
    await hold(database)

    refused = await cli("recover", "dismiss", "--reason", "in a hurry")

    assert (refused.exit_code, "nothing_is_forgotten" in refused.stderr) == (1, True)


async def test_a_restore_that_nobody_has_noticed_is_declared_with_its_moment(
    cli: CommandLine, merchant: Merchant
) -> None:
    refused = await cli("recover", "declare", "--reason", "restored")
    declared = await cli("recover", "declare", "--reason", "restored", "--moment", "2026-11-01T10:00:00", "--json")

    assert (refused.exit_code, "restore_is_noticed" in refused.stderr) == (1, True)
    assert (declared.document["state"], declared.document["epoch"]) == ("recovering", 2)
    assert declared.document["forgot_since"].startswith("2026-11-01T10:00:00")


async def ago(owner: AsyncEngine, minutes: int) -> None:
    """Let the moments of the recovery be so long ago."""
    async with owner.begin() as connection:
        await connection.execute(
            text(
                "update duly.sending set declared_at = declared_at - make_interval(mins => :by), reads = coalesce(("
                "select jsonb_agg(r || jsonb_build_object('read_at', (r ->> 'read_at')::timestamptz"
                " - make_interval(mins => :by))) from jsonb_array_elements(reads) r), '[]')"
            ),
            {"by": minutes},
        )


async def test_what_is_left_is_settled_by_name_and_once(
    cli: CommandLine, merchant: Merchant, owner_engine: AsyncEngine
) -> None:
    async with owner_engine.begin() as connection:
        await connection.execute(
            text(
                "insert into duly.recovery_left (provider_id, object, kind, account_id, amount_minor, currency, why)"
                " values ('stripe', 'pi_1', 'payment', 'acc_1', 900, 'EUR', 'account_unknown')"
            )
        )

    settled = await cli("recover", "settle", "pi_1", "--reason", "sent back by hand", "--json")
    again = await cli("recover", "settle", "pi_1", "--reason", "sent back by hand")
    adopted = await cli("recover", "adopt", "--json")

    assert settled.document == {"object": "pi_1", "state": "settled"}
    assert (again.exit_code, "object_is_left" in again.stderr) == (1, True)
    assert adopted.document == {"provider": "stripe", "adopted": []}


async def test_the_doctor_says_that_nothing_is_sent(cli: CommandLine, merchant: Merchant, database: Database) -> None:
    await hold(database)

    found = await cli("doctor", "--json")

    sending = next(check for check in found.document["checks"] if check["check"] == "sending")
    assert (sending["verdict"], "recover show" in sending["advice"]) == ("wrong", True)


async def test_no_bank_file_is_written_while_sending_is_held(
    cli: CommandLine, merchant: Merchant, database: Database, tmp_path: Path
) -> None:
    await hold(database)

    refused = await cli("refunds", "export", "2026-11", str(tmp_path / "refunds.csv"), "--format", "csv")

    assert (refused.exit_code, "sending_is_held" in refused.stderr) == (1, True)
    assert not (tmp_path / "refunds.csv").exists()


async def test_who_declares_the_second_restore_of_a_backup_before_any_worker_begins_no_epoch_twice(
    cli: CommandLine, merchant: Merchant, owner_engine: AsyncEngine, temporal_server: Client
) -> None:
    installation = await merchant.value("select id from duly.installation")
    await TemporalMemory(temporal_server).remember_beat(Beat(installation, 5, 0))
    async with owner_engine.begin() as connection:
        await connection.execute(text("update duly.installation set beat = 7, compared_server = 'before'"))

    declared = await cli("recover", "declare", "--reason", "restored", "--json")

    assert (declared.exit_code, declared.document["state"], declared.document["epoch"]) == (0, "recovering", 6)
