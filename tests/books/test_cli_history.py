"""Who created, edited, posted, ended and configured what, and that nobody forges it."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.bank.statements import camt, entry
from tests.support.company import Company


async def history(company: Company, *words: str) -> list[tuple[str, str]]:
    changes = (await company.cli.json("books", "history", *words))["changes"]
    return [(one["action"], one["actor"]) for one in changes]


async def test_who_created_edited_posted_and_cancelled_an_invoice_is_kept(company: Company) -> None:
    await company.account("a1")
    made = await company.invoice("a1", "10.00", "--draft", "--actor", "ann")
    await company.cli.json("transactions", "edit", made["id"], "--line", "product=plan,price=20.00", "--actor", "bob")
    posted = await company.cli.json("transactions", "post", made["id"], "--actor", "cid")
    number = posted["transaction"]["number"]
    await company.cli.json("transactions", "cancel", number, "--actor", "dan", "--yes")

    assert await history(company, number) == [
        ("invoice_cancellation", "dan"),
        ("posted", "cid"),
        ("edited", "bob"),
        ("created", "ann"),
    ]
    shown = await company.shown(number)
    assert (shown["actor"], shown["posted_by"]) == ("ann", "cid")
    edit: dict[str, Any] = (await company.cli.json("books", "history", number, "--by", "bob"))["changes"][0]["changes"]
    assert edit["lines"]["was"][0]["unit_price_minor"] == 1000
    assert edit["lines"]["is"][0]["unit_price_minor"] == 2000


async def test_an_edit_that_is_not_kept_is_not_made(company: Company, owner_engine: AsyncEngine) -> None:
    await company.account("a1")
    made = await company.invoice("a1", "10.00", "--draft")
    async with owner_engine.begin() as connection:
        await connection.execute(text("alter table duly.audit_trail add check (actor <> 'bob')"))

    edited = await company.cli("transactions", "edit", made["id"], "--back-office-code", "E1", "--actor", "bob")
    posted = await company.cli("transactions", "post", made["id"], "--actor", "bob")

    assert 0 not in {edited.exit_code, posted.exit_code}
    shown = await company.shown(made["id"])
    assert (shown["state"], shown["back_office_code"]) == ("draft", None)


async def test_who_ended_an_account_and_who_configured_is_kept(company: Company, tmp_path: Path) -> None:
    await company.account("a1")
    await company.cli.json("accounts", "terminate", "a1", "--actor", "eve", "--reason", "moved away", "--yes")
    document = tmp_path / "definitions.toml"
    document.write_text('[[tax_rates]]\nid = "vat"\nname = "VAT"\npercent = 20\n', encoding="utf-8")
    await company.cli.json("definitions", "apply", str(document), "--actor", "fay", "--reason", "the law")

    (ended,) = (await company.cli.json("books", "history", "a1", "--by", "eve"))["changes"]
    configured = (await company.cli.json("books", "history", "tax_rates", "--by", "fay"))["changes"]

    assert (ended["reason"], ended["changes"]) == ("moved away", {"state": {"was": "active", "is": "terminated"}})
    assert {one["reason"] for one in configured} == {"the law"}
    assert "a1" in (await company.cli("books", "history", "--kind", "account")).stdout


@pytest.mark.parametrize(
    "statement",
    [
        "insert into duly.audit_trail (kind, subject, action, actor) values ('account', 'a1', 'edited', 'x')",
        "update duly.audit_trail set actor = 'nobody'",
        "delete from duly.audit_trail",
        "alter table duly.products disable trigger definition_changes",
        "update duly.financial_transactions set posted_by = 'nobody'",
    ],
)
async def test_the_runtime_role_forges_nothing(company: Company, engine: AsyncEngine, statement: str) -> None:
    await company.account("a1")

    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        async with engine.begin() as connection:
            await connection.execute(text(statement))


async def test_what_is_changed_past_every_command_is_kept_with_the_database_s_user(
    company: Company, engine: AsyncEngine
) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("update duly.products set name = 'Another' where id = 'plan'"))
        user = (await connection.execute(text("select session_user"))).scalar_one()

    change = (await company.cli.json("books", "history", "products"))["changes"][0]

    assert (change["actor"], change["made_by"], change["changes"]["name"]["is"]) == (user, user, "Another")


async def test_a_system_account_with_money_on_it_cannot_be_ended(company: Company) -> None:
    await company.account("gone")
    suspense = await company.value(
        "select duly.open_account('acc_suspense_eur', 'EUR', 'Suspense', p_kind => 'suspense')"
    )
    await company.create("payment", suspense, "--amount", "5", "--method", "cash")

    refused = await company.cli("accounts", "terminate", suspense, "--json")

    assert (refused.exit_code, refused.rules) == (1, [("account", "system_account_empty")])
    assert "has money on it: -5.00 EUR" in refused.stderr


async def test_a_system_account_that_was_ended_is_opened_again_when_there_is_something_for_it(
    company: Company, tmp_path: Path
) -> None:
    await company.account("a1")
    for kind in ("suspense", "write_off"):
        id = await company.value(f"select duly.open_account('acc_{kind}_eur', 'EUR', 'Own', p_kind => '{kind}')")
        await company.cli.json("accounts", "terminate", id, "--actor", "ann", "--reason", "no euros any more")

    imported = await company.cli.json("import", "bank", camt(tmp_path, entry("B1", "7.00", text="who knows")))
    invoice = await company.invoice("a1", "5.00")
    await company.cli.json("transactions", "write-off", invoice["number"], "--type", "write_off", "--yes")

    assert [one["account_id"] for one in imported["entries"]] == ["acc_suspense_eur"]
    for id in ("acc_suspense_eur", "acc_write_off_eur"):
        opened, ended = (await company.cli.json("books", "history", id))["changes"]
        assert opened["changes"]["state"] == {"was": "terminated", "is": "active"}
        assert opened["reason"] == "opened again: there is something for it"
        assert ended["actor"] == "ann"


async def test_a_command_under_its_key_answers_the_same_whoever_repeats_it_and_whatever_changed(
    company: Company, engine: AsyncEngine
) -> None:
    await company.account("a1")
    words = ("transactions", "create", "invoice", "a1", "--line", "product=card,price=10.00", "--key", "K1")
    first = await company.cli.json(*words, "--actor", "ann")
    async with engine.begin() as connection:
        await connection.execute(text("update duly.tax_rates set percent = percent + 1"))
        await connection.execute(text("update duly.products set is_active = false"))
    await company.cli.json("transactions", "cancel", first["transaction"]["id"], "--yes")
    await company.cli.json("accounts", "terminate", "a1", "--yes")

    again = await company.cli.json(*words, "--actor", "bob")
    other = await company.refused(*words[:4], "--line", "product=card,price=11.00", "--key", "K1")

    assert again["transaction"]["id"] == first["transaction"]["id"]
    assert other == [("key", "key_means_one_request")]


async def test_posting_again_what_was_cancelled_since_answers_the_same(company: Company) -> None:
    await company.account("a1")
    draft = await company.invoice("a1", "10.00", "--draft")
    first = await company.cli.json("transactions", "post", draft["id"])
    await company.cli.json("transactions", "cancel", draft["id"], "--yes")

    again = await company.cli.json("transactions", "post", draft["id"])

    assert again["transaction"]["number"] == first["transaction"]["number"]
