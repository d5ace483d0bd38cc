"""A request to a gateway has every field of X32, is found by each, and is edited by nobody (X31 to X41)."""

from typing import Any

import pytest

from activities.collections.collect import CollectActivities
from tests.support.attempts import request_for
from tests.support.builders import PERIOD, Merchant, declined
from tests.support.command_line import CommandLine
from tests.wallets.conftest import WALLETS


@pytest.fixture
async def asked(merchant: Merchant, collecting: CollectActivities) -> dict[str, str]:
    """The requests of a payment of a bill and a top-up, of its refund, and of a payment that was declined."""
    await merchant.configure(WALLETS.replace('tax_rate = "standard"', ""))
    payer = await merchant.account("payer", owes_minor=2500)
    bill = "select duly.make_bill(:id, to_char(now() at time zone 'Europe/Nicosia', 'YYYY-MM'), 'ann')"
    await merchant.value(bill, id=payer)
    await merchant.value("select duly.wallet_credit('topped', :id, 1000, 'EUR', 'top_up')", id=payer)
    await collecting.collect(request_for(payer))
    await merchant.run(
        "insert into duly.gateway_requests (id, kind, provider_id, account_id, of_request_id, amount_minor, currency,"
        " asked_by, asked_because) select 'refund', 'refund', 'stripe', account_id, id, 100, 'EUR', 'ann', 'as agreed'"
        " from duly.gateway_requests where account_id = :id",
        id=payer,
    )
    refused = await merchant.account("refused", owes_minor=4000, answers=[declined("insufficient_funds")])
    await collecting.collect(request_for(refused))
    found = await merchant.run("select id, account_id, kind from duly.gateway_requests")
    return {row.kind if row.kind == "refund" else row.account_id: row.id for row in found}


async def test_a_request_shows_what_was_paid_given_back_and_by_what(
    cli: CommandLine, merchant: Merchant, asked: dict[str, str]
) -> None:
    (row,) = await merchant.run(
        "select r.transaction_id, r.gateway_reference, n.number, 'PP-' || f.number as preference, b.number as bill,"
        " w.number as wallet from duly.gateway_requests r"
        " join duly.transaction_numbers n on n.transaction_id = r.transaction_id"
        " join duly.payment_preferences f on f.account_id = r.account_id"
        " join duly.account_bills b on b.account_id = r.account_id"
        " join duly.wallet_transactions w on w.account_id = r.account_id where r.id = :id",
        id=asked["payer"],
    )

    payment: dict[str, Any] = await cli.json("requests", "show", asked["payer"])
    refund: dict[str, Any] = await cli.json("requests", "show", "refund")
    shown = await cli("requests", "show", asked["payer"])

    of = {"payment_id": row.transaction_id, "preference": row.preference, "provider": "stripe", "run_id": None}
    paid = {"transaction_number": row.number, "paid_bills": [row.bill], "topped_up_wallets": [row.wallet]}
    assert of.items() | {"gateway_reference": row.gateway_reference}.items() <= payment.items()
    assert {name: payment[name] for name in paid} == paid
    assert (payment["amount_minor"], payment["state"], payment["card"]) == (3500, "posted", "visa 4242")
    assert payment["executed_at"] is not None
    assert of.items() <= refund.items()
    assert (refund["of_request_id"], refund["refund_id"], refund["topped_up_wallets"]) == (asked["payer"], None, [])
    assert (refund["gateway_reference"], refund["executed_at"]) == (None, None)
    for text in (row.bill, row.wallet, row.preference, row.number):
        assert text in shown.stdout


async def test_a_request_has_the_gateways_reference_once_it_is_over(
    cli: CommandLine, merchant: Merchant, asked: dict[str, str]
) -> None:
    tried = await merchant.value(
        "select gateway_reference from duly.gateway_attempts where request_id = :id", id=asked["refused"]
    )
    before = await cli.json("requests", "show", asked["refused"])

    await merchant.run(
        "select duly.insert_collection(account_id, period, provider_id, '', '', invoices, null)"
        " from duly.gateway_requests where id = :id",
        id=asked["refused"],
    )
    await merchant.value(
        "select duly.close_collection(:account, :period, 'given_up', 'out_of_attempts', 'nothing')",
        account="refused",
        period=PERIOD,
    )
    after = await cli.json("requests", "show", asked["refused"])

    assert (before["state"], before["gateway_reference"], before["executed_at"]) == ("under_processing", None, None)
    assert (after["state"], after["gateway_reference"], after["error_code"]) == ("rejected", tried, "out_of_attempts")
    assert after["executed_at"] is not None


async def test_a_request_is_found_by_each_of_its_fields(
    cli: CommandLine, merchant: Merchant, asked: dict[str, str]
) -> None:
    (row,) = await merchant.run(
        "select r.gateway_reference, a.charge_reference, c.id as card, 'pp-' || f.number as preference"
        " from duly.gateway_requests r join duly.gateway_attempts a on a.request_id = r.id"
        " join duly.cards c on c.account_id = r.account_id"
        " join duly.payment_preferences f on f.account_id = r.account_id"
        " where r.id = :id",
        id=asked["payer"],
    )

    async def found(*words: str) -> set[str]:
        return {one["id"] for one in (await cli.json("requests", "list", *words))["requests"]}

    assert await found("--card", row.card) == {asked["payer"]}
    assert await found("--preference", row.preference) == {asked["payer"], "refund"}
    assert await found("--preference", "PP-0") == await found("--currency", "USD") == set()
    assert await found("--reference", row.gateway_reference) == {asked["payer"]}
    assert await found("--reference", row.charge_reference) == {asked["payer"]}
    assert await found("--error", "card_declined") == {asked["refused"]}
    assert await found("--currency", "EUR", "--kind", "refund") == {"refund"}
