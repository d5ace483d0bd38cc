"""Runs settle from the wallets of who prefers that before they ask for a card: nobody is charged for what one paid."""

from typing import Any

import pytest

from activities.database import Database
from activities.runs.dry_runs import DryRunActivities
from models.runs.dry_run import DryRunRequest
from tests.support.builders import PERIOD, RUN, Merchant
from tests.support.running_duly import RunningDuly
from tests.wallets.conftest import WALLETS

UNTAXED = WALLETS.replace('tax_rate = "standard"', "")

SPENT = "select account_id, amount_minor from duly.wallet_transactions where direction = 'debit' order by account_id"
CHARGED = "select account_id, amount_minor from duly.gateway_requests where kind = 'payment' order by account_id"


@pytest.fixture
async def preferring(merchant: Merchant) -> Merchant:
    """Accounts that owe 25.00; the preferred wallets hold more, a part, and all but less than a card takes."""
    await merchant.configure(UNTAXED)
    for name, held in (("all", 2600), ("part", 1000), ("nearly", 2480), ("other", 2500)):
        await merchant.account(name, owes_minor=2500)
        await give(merchant, name, held)
        if name != "other":
            await merchant.value("select duly.set_preferred_method(:account, 'prepaid')", account=name)
    await merchant.account("cardless", cards=(), owes_minor=500)
    await give(merchant, "cardless", 400)
    await merchant.value("select duly.set_preferred_method('cardless', 'prepaid')")
    return merchant


async def give(merchant: Merchant, account: str, amount_minor: int) -> None:
    await merchant.value(
        "select duly.wallet_credit(:key, :account, :amount, 'EUR', 'present')",
        key=f"given:{account}",
        account=account,
        amount=amount_minor,
    )


async def freeze(database: Database) -> None:
    await database.call("freeze_payment_run", run_id=RUN, definition_id="monthly", period=PERIOD, ends_on="2099-01-01")


async def rows(merchant: Merchant, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await merchant.run(statement)]


async def test_the_wallet_pays_first_and_the_card_is_asked_for_the_rest(
    duly: RunningDuly, preferring: Merchant
) -> None:
    certificate = await duly.run()

    spent = [("all", 2500), ("cardless", 400), ("nearly", 2480), ("part", 1000)]
    assert await rows(preferring, SPENT) == spent
    assert await rows(preferring, CHARGED) == [("other", 2500), ("part", 1500)]
    assert [await preferring.balance(name) for name in ("all", "part", "nearly", "other")] == [0, 0, 20, 0]
    [paid] = certificate.from_wallet
    assert (paid.currency, paid.accounts, paid.amount_minor) == ("EUR", 4, sum(amount for _, amount in spent))
    assert sum(one.members for one in certificate.totals) == certificate.members == 4


async def test_freezing_again_takes_nothing_of_what_has_come_since(preferring: Merchant, database: Database) -> None:
    await freeze(database)
    await preferring.invoice("nearly", 500)
    await preferring.value("select duly.wallet_credit('more', 'nearly', 400, 'EUR', 'present')")

    await freeze(database)

    assert len(await rows(preferring, SPENT)) == 4


async def test_by_pure_fifo_a_wallet_is_left_while_a_card_is_asked_for_an_older_invoice(
    preferring: Merchant, database: Database
) -> None:
    await preferring.run("update duly.definitions set allocation_principle = 'fifo'")
    await preferring.run(
        "insert into duly.collections (account_id, period, provider_id, owner, policy_id, policy_version, currency,"
        " amount_minor, invoices) select 'all', '2026-10', 'stripe', 'o', 'p', 1, 'EUR', 2500, array[o.transaction_id]"
        " from duly.open_items o where o.account_id = 'all' and o.side = 'debit'"
    )
    await preferring.invoice("all", 300)

    await freeze(database)

    assert [account for account, _ in await rows(preferring, SPENT)] == ["cardless", "nearly", "part"]


async def test_a_wallet_is_left_while_its_account_has_money_that_a_restore_forgot(
    preferring: Merchant, database: Database
) -> None:
    await preferring.run(
        "insert into duly.recovery_left (provider_id, object, kind, account_id, amount_minor, currency, why)"
        " values ('stripe', 'pi_1', 'payment', 'all', 2500, 'EUR', 'its invoice is paid')"
    )

    await freeze(database)

    assert [account for account, _ in await rows(preferring, SPENT)] == ["cardless", "nearly", "part"]


async def test_a_dry_run_says_what_comes_from_wallets_and_writes_nothing(
    preferring: Merchant, database: Database
) -> None:
    page = await DryRunActivities(database).dry_run_page(DryRunRequest("monthly", PERIOD))

    assert [(one.account_id, one.from_wallet_minor, one.amount_minor, one.reason) for one in page.members] == [
        ("all", 2500, 0, "paid_from_wallet"),
        ("cardless", 400, 100, "no_card"),
        ("nearly", 2480, 20, "below_minimum"),
        ("other", 0, 2500, ""),
        ("part", 1000, 1500, ""),
    ]
    assert await rows(preferring, SPENT) == []


async def test_a_wallet_that_cannot_be_debited_is_left_and_operators_are_notified(
    preferring: Merchant, database: Database
) -> None:
    await preferring.run("update duly.payment_methods set is_active = false where id = 'prepaid'")

    await database.call("freeze_payment_run", run_id=RUN, definition_id="monthly", period=PERIOD, ends_on="2099-01-01")

    notified = await rows(preferring, "select account_id, parameters ->> 'code' from duly.messages order by account_id")
    assert notified == [(name, "method_exists") for name in ("all", "cardless", "nearly", "part")]
    due = await rows(preferring, "select account_id, amount_minor from duly.run_items where outcome is null order by 1")
    assert due == [("all", 2500), ("nearly", 2500), ("other", 2500), ("part", 2500)]


async def test_a_run_that_finds_everything_in_wallets_is_over_somebody(merchant: Merchant, database: Database) -> None:
    await merchant.configure(UNTAXED)
    await merchant.account("all", owes_minor=2500)
    await give(merchant, "all", 2500)
    await merchant.value("select duly.set_preferred_method('all', 'prepaid')")

    plan = await database.call(
        "freeze_payment_run",
        run_id=RUN,
        definition_id="monthly",
        period=PERIOD,
        ends_on="2099-01-01",
        over_nobody=False,
    )

    assert (plan["members"], await merchant.balance("all")) == (0, 0)


@pytest.mark.parametrize(
    ("methods", "left_out"), [('["card"]', []), ('["prepaid"]', ["other"]), ('["bank_transfer"]', None)]
)
async def test_criteria_of_methods_mean_who_prefers_the_wallet_by_the_wallet_and_by_the_card(
    preferring: Merchant, database: Database, methods: str, left_out: list[str] | None
) -> None:
    await preferring.run(
        "update duly.run_definitions set criteria = jsonb_build_object('payment_methods', cast(:methods as jsonb))",
        methods=methods,
    )

    page = await DryRunActivities(database).dry_run_page(DryRunRequest("monthly", PERIOD))

    everybody = {"all", "cardless", "nearly", "other", "part"}
    absent = everybody - {"cardless"} if left_out is None else set(left_out)
    assert {one.account_id for one in page.members if one.reason != "method_not_in_criteria"} == everybody - absent


async def test_a_wallet_pays_what_is_less_than_a_cards_step_too(merchant: Merchant, database: Database) -> None:
    await merchant.configure(UNTAXED)
    for name, owed, held in (("all", 10005, 10005), ("rest", 5, 900), ("part", 10005, 3007), ("card", 10005, 0)):
        await merchant.account(name, currency="KWD", owes_minor=owed)
        if held:
            give = "select duly.wallet_credit(:name, :name, :held, 'KWD', 'present')"
            await merchant.value(give, name=name, held=held)
        await merchant.value("select duly.set_preferred_method(:name, 'prepaid')", name=name)

    page = await DryRunActivities(database).dry_run_page(DryRunRequest("monthly", PERIOD))
    await freeze(database)

    assert [(one.account_id, one.from_wallet_minor, one.amount_minor, one.reason) for one in page.members] == [
        ("all", 10005, 0, "paid_from_wallet"),
        ("card", 0, 10000, ""),
        ("part", 3007, 6990, ""),
        ("rest", 5, 0, "paid_from_wallet"),
    ]
    assert await rows(merchant, SPENT) == [("all", 10005), ("part", 3007), ("rest", 5)]
    due = await rows(merchant, "select account_id, amount_minor from duly.run_items where outcome is null order by 1")
    assert due == [("card", 10000), ("part", 6990)]
