"""Files of debits that the bank has and a restored database has forgotten: nobody is debited twice, nothing is lost."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.database import Database, DatabaseUnavailableError
from tests.bank.debits.direct_debits import BY, DirectDebits, credited, written
from tests.support.attempts import broken_invariants
from tests.support.builders import PERIOD, Merchant
from tests.support.command_line import CommandLine, CommandResult


@pytest.fixture
async def debits(merchant: Merchant, cli: CommandLine, database: Database, tmp_path: Path) -> DirectDebits:
    """A company that collects by bank debit."""
    debits = DirectDebits(merchant, cli, database, tmp_path)
    await debits.set_up()
    return debits


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


async def command_for(debits: DirectDebits, provider: str, *words: str) -> Any:
    """Run a command for a provider; return its document."""
    answer = await debits.cli(*words, "--json", DULY_PROVIDER=provider)
    assert answer.exit_code == 0, answer.stderr
    return answer.document


async def recovered(debits: DirectDebits, owner: AsyncEngine) -> str:
    """Lead a restore of the bank's provider to its release; return what is left."""
    reason = ("--reason", "the disk was lost")
    left: list[dict[str, Any]] = []
    for provider in ("sepa", "stripe"):
        moment = ("--moment", "2026-11-01T10:00:00") if provider == "sepa" else ()
        await command_for(debits, provider, "recover", "declare", *reason, *moment)
        await ago(owner, 16)
        await command_for(debits, provider, "recover", "read")
        await ago(owner, 11)
        read = await command_for(debits, provider, "recover", "read")
        left = read["reads"][-1]["left"] if provider == "sepa" else left
        acknowledged = ("--acknowledge",) if provider == "sepa" else ()
        await command_for(debits, provider, "recover", "release", *reason, *acknowledged)
    with suppress(DatabaseUnavailableError):
        # Whoever was connected connects anew.
        await debits.database.rows("select 1")
    (one,) = left
    return str(one["object"])


async def forget_the_file(debits: DirectDebits, owner: AsyncEngine, batch: str, *forgotten: str) -> None:
    """Let the database be as it was before a file was written, and before some of its debits were asked for."""
    async with owner.begin() as connection:
        await connection.execute(text("alter table duly.debits disable trigger user"))
        await connection.execute(
            text("update duly.debits set state = 'pending', batch_id = null, written = '{}' where batch_id = :id"),
            {"id": batch},
        )
        await connection.execute(text("delete from duly.debits where id = any (:ids)"), {"ids": list(forgotten)})
        await connection.execute(text("delete from duly.debit_batches where id = :id"), {"id": batch})
        await connection.execute(text("update duly.mandates set state = 'signed', last_used_on = null"))


def rules(answer: CommandResult) -> list[str]:
    return [one["rule"] for one in json.loads(answer.stdout)["problems"]]


async def test_no_file_is_written_before_those_that_the_bank_has_are_known_and_each_debit_is_taken_once(
    debits: DirectDebits, owner_engine: AsyncEngine
) -> None:
    asked: dict[str, Any] = {}
    for account, owes in (("c1", 2500), ("c2", 4900), ("c3", 700)):
        asked[account] = await debits.collect(await debits.payer(account, owes))
    await debits.export("sent.xml")
    sent = {one["mandate"]: one for one in written(debits.folder / "sent.xml")}
    batch = sent["M-c1"]["information"].rpartition("-")[0]
    await forget_the_file(debits, owner_engine, batch, sent["M-c2"]["id"])
    left = await recovered(debits, owner_engine)
    did_not_happen = await debits.collect("c2")
    asked_anew = await debits.collect("c2", did_not_happen.attempt + 1)

    refused = await debits.cli("debits", "export", "sepa", str(debits.folder / "twice.xml"), *BY)
    first = await debits.cli.json("debits", "adopt", "sepa", str(debits.folder / "sent.xml"), *BY)
    again = await debits.cli.json("debits", "adopt", "sepa", str(debits.folder / "sent.xml"), *BY)
    await command_for(debits, "sepa", "recover", "settle", left, "--reason", "the bank has one file")
    after = await debits.export("after.xml")

    assert (refused.exit_code, "files_are_known" in refused.stderr) == (1, True)
    assert asked_anew.gateway_reference != sent["M-c2"]["id"]
    assert (first["summary"]["adopted"], again["summary"]["unchanged"], after["batch"]) == (3, 3, None)
    lines = [credited(sent[f"M-{a}"]["id"], sent[f"M-{a}"]["amount"], f"B-{a}") for a in asked]
    imported = await debits.statement(*lines)
    assert imported["summary"]["direct_debit"] == 3
    assert [await debits.merchant.balance(account) for account in asked] == [0, 0, 0]
    assert await debits.ledger("gateway_clearing:sepa") == 0
    assert await broken_invariants(debits.merchant) == []


@pytest.mark.nightly
async def test_each_debit_of_a_file_is_that_of_its_own_invoices_in_whatever_order_they_were_asked_for_anew(
    debits: DirectDebits, owner_engine: AsyncEngine
) -> None:
    account = await debits.payer("c1")
    await debits.collect(account)
    await debits.merchant.invoice(account, 2500)
    await debits.collect(account, period="2026-12")
    await debits.export("sent.xml")
    sent = {one["id"]: one for one in written(debits.folder / "sent.xml")}
    asked = await debits.merchant.run("select id, request_id from duly.debits order by length(id), id")
    batch = next(iter(sent.values()))["information"].rpartition("-")[0]
    await forget_the_file(debits, owner_engine, batch, *sent)
    await recovered(debits, owner_engine)
    for period in ("2026-12", PERIOD):
        did_not_happen = await debits.collect(account, period=period)
        await debits.collect(account, did_not_happen.attempt + 1, period=period)

    adopted = await debits.cli.json("debits", "adopt", "sepa", str(debits.folder / "sent.xml"), *BY)

    assert adopted["summary"]["adopted"] == 2
    assert await debits.merchant.run("select id, request_id from duly.debits order by length(id), id") == asked


@pytest.mark.nightly
async def test_ids_of_debits_that_the_bank_may_know_are_not_given_again(
    debits: DirectDebits, owner_engine: AsyncEngine
) -> None:
    before = (await debits.collect(await debits.payer("c1"))).gateway_reference
    await recovered(debits, owner_engine)

    after = (await debits.collect(await debits.payer("c2"))).gateway_reference

    assert int(after.removeprefix("DD-")) > int(before.removeprefix("DD-")) + 1_000_000


@pytest.mark.nightly
async def test_a_file_is_written_down_again_where_one_is_missing_and_names_debits_of_ours(
    debits: DirectDebits, owner_engine: AsyncEngine
) -> None:
    await debits.collect(await debits.payer("c1"))
    await debits.export("sent.xml")
    content = (debits.folder / "sent.xml").read_text()
    foreign, other = debits.folder / "foreign.xml", debits.folder / "other.xml"
    foreign.write_text(content.replace("<EndToEndId>DD-", "<EndToEndId>RF-"))
    other.write_text(content.replace("<MsgId>DDB-", "<MsgId>DDB-9"))

    not_ours = await debits.cli("debits", "adopt", "sepa", str(foreign), *BY)
    not_missing = await debits.cli("debits", "adopt", "sepa", str(other), *BY, "--json")
    await recovered(debits, owner_engine)
    in_another = await debits.cli("debits", "adopt", "sepa", str(other), *BY, "--json")

    assert (not_ours.exit_code, "written_here" in not_ours.stderr) == (1, True)
    assert (rules(not_missing), rules(in_another)) == (["file_is_missing"], ["debit_waits"])


async def test_a_bank_s_provider_is_not_asked_by_the_key_of_another_one(debits: DirectDebits) -> None:
    refused = await debits.cli(
        "webhooks", "apply", "--url", "https://duly.example/webhooks/stripe", *BY, DULY_PROVIDER="sepa"
    )

    assert (refused.exit_code, "provider_is_called" in refused.stderr) == (1, True)


async def test_what_calls_a_gateway_has_no_schedule_for_a_bank(debits: DirectDebits) -> None:
    applied = await debits.cli.json("schedule", "apply")

    names = {one["definition"] for one in applied["changes"]}
    assert {name for name in names if name.endswith(":sepa")} == set()
    assert {"events:stripe", "reconciliation:stripe"} <= names
