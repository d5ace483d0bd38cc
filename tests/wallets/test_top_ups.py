"""Top-ups that runs ask for: in the wallet when their money is there, and out of it when the money goes back."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from activities.database import Database
from activities.runs.dry_runs import DryRunActivities
from models.runs.dry_run import DryRunRequest
from tests.support.builders import Merchant
from tests.wallets.top_ups import ToppedUp


@pytest.fixture
async def topped_up(merchant: Merchant, database: Database) -> AsyncIterator[ToppedUp]:
    """Runs that top up wallets. Whatever a test does, no invariant may be broken at its end."""
    client = ToppedUp(merchant, database)
    await client.set_up()
    yield client
    assert await client.violations() == []


async def test_a_low_wallet_is_asked_for_once_and_has_nothing_before_it_is_paid(topped_up: ToppedUp) -> None:
    await topped_up.low("low")
    await topped_up.low("full", holds_minor=1000)
    await topped_up.merchant.account("without", owes_minor=2500)

    plans = [await topped_up.freeze(period) for period in ("2026-11-27", "2026-11-27", "2026-11-28")]

    assert [plan["members"] for plan in plans] == [1, 1, 1]
    assert await topped_up.states() == [("low", 2000, "requested", 0)]
    assert (await topped_up.wallet("low"), await topped_up.merchant.balance("low")) == (500, 2000)
    due = await topped_up.rows("select distinct account_id, amount_minor from duly.run_items where outcome is null")
    assert due == [("low", 2000)]


async def test_a_top_up_that_is_asked_for_is_mailed_as_no_debt_and_is_overdue_nowhere(topped_up: ToppedUp) -> None:
    await topped_up.merchant.configure(
        "[message_rules]\nsends_invoices = true\n"
        '[[segments]]\nid = "late"\nname = "Late"\nabout = "accounts"\n[segments.criteria]\noverdue_days = 1\n'
        '[[segments]]\nid = "late-invoices"\nname = "Late"\nabout = "transactions"\n'
        "[segments.criteria]\noverdue_days = 1\n"
    )
    await topped_up.low("low")
    await topped_up.freeze()
    invoice = await topped_up.invoice_of("low")
    async with topped_up.merchant.engine.begin() as connection:
        await connection.execute(text("alter table duly.financial_transactions disable trigger user"))
        aged = "update duly.financial_transactions set posted_on = posted_on - 99, due_on = due_on - 99 where id = :id"
        await connection.execute(text(aged), {"id": invoice})
        await connection.execute(text("alter table duly.financial_transactions enable trigger user"))
    late = "select count(*) from duly.segment_totals(:id, null, null)"
    facts = "select f -> 'overdue_minor', (f -> 'days_overdue')::int > 0 from duly.communication_facts('low', :id) f"

    counted = []
    for state in ("withdrawn", "requested"):
        await topped_up.merchant.run(
            "update duly.wallet_top_ups set state = :state where invoice_id = :id", state=state, id=invoice
        )
        found = [await topped_up.value(late, id=one) for one in ("late", "late-invoices")]
        counted.append((found, (await topped_up.rows(facts, id=invoice))[0]))

    assert counted == [([1, 1], (2000, True)), ([0, 0], (0, False))]
    assert await topped_up.rows("select kind from duly.messages where kind = 'invoice_posted'") == []


async def test_two_runs_at_once_ask_for_one_top_up(topped_up: ToppedUp) -> None:
    for number in range(3):
        await topped_up.low(f"low_{number}")
    await topped_up.merchant.run(
        "insert into duly.run_definitions (id, kind, name, provider_id, criteria) values"
        """ ('other', 'payment', 'Other', 'stripe', '{"wallet_top_ups": true}')"""
    )

    await asyncio.gather(topped_up.freeze(), topped_up.freeze(definition="other"))

    assert [state[2] for state in await topped_up.states()] == ["requested"] * 3


async def test_the_wallet_has_it_in_the_commit_that_settles_the_invoice(topped_up: ToppedUp) -> None:
    await topped_up.low("low")
    await topped_up.freeze()

    await topped_up.pay("low", 1500, key="a part")
    assert await topped_up.wallet("low") == 500
    await topped_up.pay("low", 500, key="the rest")

    assert (await topped_up.wallet("low"), await topped_up.merchant.balance("low")) == (2500, 0)
    assert await topped_up.states() == [("low", 2000, "credited", 0)]


async def test_credit_of_the_account_tops_up_at_once_and_no_card_is_asked(topped_up: ToppedUp) -> None:
    account = await topped_up.low("in_credit")
    await topped_up.value("select duly.create_payment('early', :id, 3000, 'EUR', 'cash')", id=account)

    assert (await topped_up.freeze())["members"] == 0

    assert (await topped_up.wallet(account), await topped_up.merchant.balance(account)) == (2500, -1000)


async def test_other_runs_do_not_ask_for_a_top_up_and_its_run_asks_for_nothing_else(topped_up: ToppedUp) -> None:
    account = await topped_up.low("low", owes_minor=2500)
    await topped_up.freeze()
    await topped_up.freeze("2026-11", "monthly")

    asked = await topped_up.rows("select run_id, amount_minor from duly.run_items where account_id = :id", id=account)
    assert sorted(asked) == [("run/monthly/2026-11", 2500), ("run/top_ups/2026-11-27", 2000)]


async def test_a_payment_that_is_cancelled_takes_what_is_not_spent_out_of_the_wallet(topped_up: ToppedUp) -> None:
    """Nothing is spent: the invoice is settled by a credit note. Something is: the customer owes that."""
    for account in ("unspent", "spent"):
        await topped_up.low(account, holds_minor=0)
    await topped_up.freeze()
    payments = {account: await topped_up.pay(account, 2000) for account in ("unspent", "spent")}
    await topped_up.value("select duly.wallet_debit('film', 'spent', 1200, 'EUR', 'film')")

    for account, payment in payments.items():
        await topped_up.value("select duly.cancel_payment(:key, :id)", key=f"cancel:{account}", id=payment)

    assert [await topped_up.wallet(account) for account in payments] == [0, 0]
    reported = "select kind, sum(corrected_minor) from duly.report_wallets group by kind order by kind"
    assert await topped_up.rows(reported) == [("credited", 0), ("spent", 0), ("taken_back", -2800)]
    assert [await topped_up.merchant.balance(account) for account in payments] == [0, 1200]
    assert await topped_up.states() == [("spent", 2000, "credited", 800), ("unspent", 2000, "credited", 2000)]
    assert [await topped_up.is_on(account) for account in payments] == [False, False]
    await topped_up.freeze("2026-11-28")
    assert len(await topped_up.states()) == 2


@pytest.mark.parametrize("spent_on", ["film", "fee"])
async def test_what_a_void_gives_back_of_money_that_has_gone_is_not_spendable(
    topped_up: ToppedUp, spent_on: str
) -> None:
    """A film is a document with a payment, which is cancelled with it; of a fee there is nothing but the wallet's."""
    await topped_up.merchant.configure(
        '[[wallet_transaction_types]]\nid = "fee"\nname = "Fee"\ndirection = "debit"\nledger_account = "revenue:fees"'
    )
    await topped_up.low("low", holds_minor=0)
    await topped_up.freeze()
    payment = await topped_up.pay("low", 2000)
    spent = await topped_up.value("select duly.wallet_debit('spent', 'low', 1200, 'EUR', :type)", type=spent_on)
    await topped_up.value("select duly.cancel_payment('cancel', :id)", id=payment)

    await topped_up.value("select duly.wallet_void('void', :id)", id=spent)

    assert (await topped_up.wallet("low"), await topped_up.merchant.balance("low")) == (0, 0)
    taken = await topped_up.value(
        "select min(id) from duly.wallet_transactions where direction = 'debit' and made_by is not null"
        " and idempotency_key like 'top_up_back:%'"
    )
    with pytest.raises(Exception, match="wallet_voided_once"):
        await topped_up.value("select duly.wallet_void('again', :id)", id=taken)


async def test_a_top_up_that_is_not_paid_is_cancelled_and_never_written_off(topped_up: ToppedUp) -> None:
    await topped_up.low("low")
    await topped_up.freeze()
    invoice = await topped_up.invoice_of("low")

    with pytest.raises(Exception, match="wallet_top_up_is_cancelled"):
        await topped_up.value("select duly.write_off('off', :id, 'write_off')", id=invoice)
    await topped_up.value("select duly.cancel_invoice('off', :id)", id=invoice)

    assert await topped_up.states() == [("low", 2000, "withdrawn", 0)]
    assert await topped_up.merchant.balance("low") == 0


async def test_the_invoice_of_what_is_in_the_wallet_is_cancelled_by_voiding_alone(topped_up: ToppedUp) -> None:
    await topped_up.low("low")
    await topped_up.freeze()
    await topped_up.pay("low", 2000)

    with pytest.raises(Exception, match="wallet_transaction_first"):
        await topped_up.value("select duly.cancel_invoice('off', :id)", id=await topped_up.invoice_of("low"))
    credited = await topped_up.value("select credited_id from duly.wallet_top_ups")
    await topped_up.value("select duly.wallet_void('void', :id)", id=credited)

    assert (await topped_up.wallet("low"), await topped_up.merchant.balance("low")) == (500, -2000)


async def test_who_is_not_topped_up_is_named_with_the_reason(topped_up: ToppedUp) -> None:
    await topped_up.low("cardless", cards=())
    await topped_up.low("suspended")
    await topped_up.value("select duly.set_account_state('suspended', 'suspended')")
    await topped_up.low("by_cash")
    await topped_up.value("select duly.set_preferred_method('by_cash', 'cash')")
    await topped_up.low("often")
    for period in ("2026-11-25", "2026-11-26"):
        await topped_up.freeze(period)
        await topped_up.pay("often", 2000, key=period)
        await topped_up.value("select duly.wallet_debit(:key, 'often', 2000, 'EUR', 'spend')", key=f"spent:{period}")

    reasons = {"no_card": 1, "account_suspended": 1, "pays_by_cash": 1, "top_ups_of_month": 1}
    page = await DryRunActivities(topped_up.database).dry_run_page(DryRunRequest("top_ups", "2026-11-27"))
    assert {member.reason: 1 for member in page.members} == reasons
    await topped_up.freeze()
    assert await topped_up.left_out() == reasons


async def test_a_dry_run_says_who_would_be_asked_and_writes_nothing(topped_up: ToppedUp) -> None:
    await topped_up.low("low")

    page = await DryRunActivities(topped_up.database).dry_run_page(DryRunRequest("top_ups", "2026-11-27"))

    assert [(one.account_id, one.amount_minor, one.is_charged) for one in page.members] == [("low", 2000, True)]
    assert await topped_up.states() == []


async def test_a_rule_for_all_takes_who_has_a_wallet_and_has_not_switched_it_off(topped_up: ToppedUp) -> None:
    for account, choice in (("chosen", True), ("silent", None), ("off", False)):
        await topped_up.low(account)
        await topped_up.choose(account, is_on=choice)
    await topped_up.merchant.account("without_wallet")
    await topped_up.merchant.run("update duly.wallet_top_up_rules set for_all = true")

    await topped_up.freeze()

    assert [state[0] for state in await topped_up.states()] == ["chosen", "silent"]


async def test_money_of_a_top_up_that_the_wallet_has_no_room_for_stays_with_the_account(topped_up: ToppedUp) -> None:
    await topped_up.low("low")
    await topped_up.freeze()
    await topped_up.value("select duly.wallet_credit('much', 'low', 9000, 'EUR', 'present')")

    await topped_up.pay("low", 2000)

    assert (await topped_up.wallet("low"), await topped_up.merchant.balance("low")) == (9500, -2000)
    assert await topped_up.states() == [("low", 2000, "withdrawn", 0)]
    notified = await topped_up.rows("select kind, parameters ->> 'code' from duly.messages where account_id = 'low'")
    assert ("wallet_not_funded", "wallet_limit") in notified


async def test_an_account_that_is_terminated_is_asked_for_no_top_up(topped_up: ToppedUp) -> None:
    await topped_up.low("low", holds_minor=0)
    await topped_up.freeze()

    await topped_up.value("select duly.set_account_state('low', 'terminated')")

    assert await topped_up.states() == [("low", 2000, "withdrawn", 0)]
    assert await topped_up.merchant.balance("low") == 0
