"""My Payments: every payment through a gateway with its state and attempts, found by whatever one has in hand."""

import csv
import io
from itertools import product

import pytest
from sqlalchemy import Text, column, select, text, values
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.collections.collect import CollectActivities
from activities.database import Database
from activities.payments.queries import PaymentFilter, PaymentQueries, state_expression
from activities.payments.request_queries import RequestFilter, RequestQueries
from models.gateway.gateway_request import AttemptOutcome, RequestState
from models.listing import ListPage
from models.payments.state import FIELD_STATES, REQUEST_STATES, FieldState, PaymentState, payment_state, stored_states
from tests.runs.test_who_is_due import freeze
from tests.support.attempts import request_for
from tests.support.builders import PERIOD, RUN, Merchant, declined
from tests.support.command_line import CommandLine


@pytest.fixture
async def paid(merchant: Merchant, database: Database, collecting: CollectActivities) -> dict[str, str]:
    """Three payments: one of a run, one of a service, one declined; by what they are."""
    accounts = {"run": await merchant.account(owes_minor=2500)}
    await freeze(database)
    accounts["service"] = await merchant.account(owes_minor=3000, cards=["pm_card_mastercard"])
    accounts["declined"] = await merchant.account(owes_minor=4000, answers=[declined("insufficient_funds")])
    for name, account in accounts.items():
        receivable, run = (PERIOD, RUN) if name == "run" else (f"{PERIOD}-order-1", "")
        await collecting.collect(request_for(account, period=receivable, run_id=run))
    return accounts


async def ids(cli: CommandLine, *words: str) -> list[str]:
    return [row["account_id"] for row in (await cli.json("payments", "list", *words))["payments"]]


async def test_payments_on_a_merchants_own_account_are_listed_alone(
    cli: CommandLine, merchant: Merchant, owner_engine: AsyncEngine, paid: dict[str, str]
) -> None:
    await merchant.run("insert into duly.merchants (id, name, currency) values ('merchant_1', 'Bakery', 'EUR')")
    async with owner_engine.begin() as connection:
        await connection.execute(
            text(
                "insert into duly.providers (id, gateway, mode, state, merchant_id) "
                "select 'shop', gateway, mode, state, 'merchant_1' from duly.providers where id = 'stripe'"
            )
        )
        await connection.execute(
            text("update duly.gateway_requests set provider_id = 'shop' where account_id = :id"),
            {"id": paid["service"]},
        )

    assert await ids(cli, "--merchant", "merchant_1") == [paid["service"]]
    assert await ids(cli, "--merchant", "merchant_2") == []
    requests = (await cli.json("requests", "list", "--merchant", "merchant_1"))["requests"]
    assert [row["account_id"] for row in requests] == [paid["service"]]


async def test_payments_are_listed_newest_first_and_narrowed_by_what_they_are(
    cli: CommandLine, merchant: Merchant, paid: dict[str, str]
) -> None:
    run, service, failed = paid["run"], paid["service"], paid["declined"]
    card = await merchant.value("select id from duly.cards where account_id = :id", id=service)

    listed = (await cli.json("payments", "list", "--totals"))["payments"]

    assert [(row["account_id"], row["state"], row["kind"], row["attempts"], row["channel"]) for row in listed] == [
        (failed, "requires_payment_method", "service", 1, "off_session"),
        (service, "succeeded", "service", 1, "off_session"),
        (run, "succeeded", "run", 1, "off_session"),
    ]
    assert await ids(cli, "--state", "succeeded") == [service, run]
    assert await ids(cli, "--state", "requires_payment_method") == [failed]
    assert await ids(cli, "--kind", "run") == await ids(cli, "--run", RUN) == [run]
    assert await ids(cli, "--card", card) == await ids(cli, "--account", service) == [service]
    assert await ids(cli, "--method", "card", "--currency", "EUR", "--at-least", "30", "--at-most", "30") == [service]
    assert await ids(cli, "--method", "bank_transfer") == await ids(cli, "--to", "2026-01-01") == []
    assert (await cli("payments", "list", "--at-least", "1", "--json")).exit_code == 1
    assert (await cli("payments", "list", "--at-least", "1", "--currency", "XXQ", "--json")).exit_code == 1


async def test_pages_follow_each_other_and_csv_is_in_major_units(cli: CommandLine, paid: dict[str, str]) -> None:
    first = await cli.json("payments", "list", "--limit", "2")
    second = await cli.json("payments", "list", "--limit", "2", "--after", first["next"])
    rows = list(csv.DictReader(io.StringIO((await cli("payments", "list", "--csv")).stdout)))

    assert "totals" not in first
    assert [row["account_id"] for row in first["payments"] + second["payments"]] == list(reversed(paid.values()))
    assert second["next"] is None
    assert [row["amount"] for row in rows] == ["40.00", "30.00", "25.00"]


async def test_a_payment_is_found_by_whatever_one_has_in_hand(
    cli: CommandLine, merchant: Merchant, paid: dict[str, str]
) -> None:
    account = paid["service"]
    (row,) = await merchant.run(
        "select r.id, r.transaction_id, r.gateway_reference, a.charge_reference, n.number, g.customer_reference,"
        " 'PP-' || f.number as preference, d.gateway_reference as declined"
        " from duly.gateway_requests r join duly.gateway_attempts a on a.request_id = r.id"
        " join duly.transaction_numbers n on n.transaction_id = r.transaction_id"
        " join duly.gateway_customers g on g.account_id = r.account_id"
        " join duly.payment_preferences f on f.account_id = r.account_id"
        " cross join duly.gateway_attempts d where r.account_id = :id and d.outcome = 'declined'",
        id=account,
    )
    await merchant.run(
        "insert into duly.disputes (id, provider_id, request_id, account_id, amount_minor, currency, state, status)"
        " values ('dp_1', 'stripe', :id, :account, 100, 'EUR', 'open', 'needs_response')",
        id=row.id,
        account=account,
    )
    await merchant.run(
        "insert into duly.gateway_requests (id, kind, provider_id, account_id, of_request_id, amount_minor, currency,"
        " gateway_reference) values ('r1', 'refund', 'stripe', :account, :id, 100, 'EUR', 're_1')",
        id=row.id,
        account=account,
    )

    words = (
        *(row.id, row.transaction_id, row.gateway_reference, row.charge_reference, row.number),
        *(row.customer_reference, row.preference, row.preference.lower(), "dp_1", "re_1"),
    )
    found = [(await cli.json("payments", "show", word))["id"] for word in words]
    of_decline = await cli.json("payments", "show", row.declined)
    nothing = await cli("payments", "show", "pi_404", "--json")

    assert found == [row.id] * len(words)
    assert (of_decline["account_id"], of_decline["attempts"][0]["decline_code"]) == (
        paid["declined"],
        "insufficient_funds",
    )
    assert nothing.rules == [("payment", "payment_exists")]


async def test_requests_are_listed_with_the_states_of_the_field(
    cli: CommandLine, merchant: Merchant, paid: dict[str, str]
) -> None:
    await merchant.run("update duly.gateway_requests set state = 'unknown' where account_id = :id", id=paid["declined"])

    listed = (await cli.json("requests", "list", "--kind", "payment"))["requests"]
    unknown = (await cli.json("requests", "list", "--state", "under_processing"))["requests"]
    shown = await cli.json("requests", "show", listed[0]["id"])

    assert [(row["state"], row["stored_state"]) for row in listed] == [
        ("under_processing", "unknown"),
        ("posted", "posted"),
        ("posted", "posted"),
    ]
    assert [row["id"] for row in unknown] == [listed[0]["id"]]
    assert (shown["attempts"][0]["outcome"], shown["gateway_reference"]) == ("declined", None)


def test_every_stored_state_has_a_word_of_the_field_and_every_state_of_a_payment_is_looked_for() -> None:
    assert FIELD_STATES.keys() == set(RequestState)
    assert REQUEST_STATES.keys() == set(PaymentState)
    assert frozenset().union(*map(stored_states, FieldState)) == frozenset(RequestState)
    for request, outcome, code, page in product(RequestState, (None, *AttemptOutcome), _CODES, (True, False)):
        assert request in REQUEST_STATES[payment_state(request, outcome, code, has_page=page)]


_CODES = ("", "authentication_required", "insufficient_funds")


async def test_the_database_sorts_payments_as_the_rules_do(database: Database) -> None:
    cases = list(product(RequestState, (None, *AttemptOutcome), _CODES, ("hosted_page", "off_session")))
    given = values(column("state", Text), column("outcome", Text), column("code", Text), column("channel", Text))
    table = given.data(cases).alias("given")
    sorted_by = state_expression(table.c.state, table.c.outcome, table.c.code, table.c.channel == "hosted_page")

    rows = await database.read(select(*table.c, sorted_by.label("sorted")))

    assert len(rows) == len(cases)
    for row in rows:
        outcome, has_page = AttemptOutcome(row.outcome) if row.outcome else None, row.channel == "hosted_page"
        assert row.sorted == payment_state(RequestState(row.state), outcome, row.code, has_page=has_page)


@pytest.mark.parametrize(
    "wanted",
    [
        *(PaymentFilter(), PaymentFilter(state="succeeded"), PaymentFilter(state="canceled"), PaymentFilter(run=RUN)),
        PaymentFilter(kind="service"),
    ],
)
async def test_a_page_is_read_by_an_index_of_the_newest(engine: AsyncEngine, wanted: PaymentFilter) -> None:
    query = PaymentQueries.statement(ListPage(), wanted)
    compiled = query.compile(dialect=engine.dialect, compile_kwargs={"render_postcompile": True})
    async with engine.connect() as connection:
        await connection.exec_driver_sql("set enable_seqscan = off")
        await connection.exec_driver_sql("set enable_sort = off")
        rows = await connection.exec_driver_sql(f"explain {compiled}", compiled.params)
        plan = "\n".join(row[0] for row in rows)

    indexes = ("requests_by_time", "requests_of_run_by_time", "rejected_requests", "requests_of_no_run")
    assert any(f"Index Scan Backward using {index}" in plan for index in indexes), plan
    assert "Sort" not in plan


async def test_the_requests_of_a_rare_error_are_read_by_their_index(engine: AsyncEngine) -> None:
    query = RequestQueries.statement(ListPage(), RequestFilter(error="lost_card"))
    compiled = query.compile(dialect=engine.dialect, compile_kwargs={"render_postcompile": True})
    async with engine.connect() as connection:
        await connection.exec_driver_sql("set enable_seqscan = off")
        await connection.exec_driver_sql("set enable_sort = off")
        rows = await connection.exec_driver_sql(f"explain {compiled}", compiled.params)
        plan = "\n".join(row[0] for row in rows)

    assert "Index Scan Backward using requests_of_error" in plan, plan
