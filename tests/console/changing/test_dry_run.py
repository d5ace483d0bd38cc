"""What is tried out keeps nobody waiting who posts on other accounts, and is never kept."""

import pytest

from activities.console.dry_run import dry_run
from activities.database import Database, RuleBrokenError
from tests.support.builders import Merchant

_PAY = "select duly.create_payment(:key, :account, 100, 'EUR', 'cash')"
_NUMBER = (
    "select n.number from duly.financial_transactions t join duly.transaction_numbers n on n.transaction_id = t.id"
    " where t.idempotency_key = :key"
)


async def test_others_post_while_something_is_tried_out_and_their_numbers_have_no_gap(
    merchant: Merchant, database: Database
) -> None:
    tried, other = await merchant.account(), await merchant.account()

    async with dry_run(database) as trying:
        await trying.rows(_PAY, key="tried", account=tried)
        [seen] = await trying.rows(_NUMBER, key="tried")
        # On another connection, which would wait for ever for the series of numbers.
        await merchant.run(_PAY, key="meanwhile", account=other)

    assert seen.number.startswith("TRIED-")
    assert await merchant.value(_NUMBER, key="meanwhile") == "PAY-0000000001"
    assert await merchant.run(_NUMBER, key="tried") == []


async def test_what_is_tried_out_is_not_committed(merchant: Merchant, database: Database) -> None:
    account = await merchant.account()

    keep = (
        "select set_config('duly.is_tried_out', 'on', true),"
        " (duly.create_payment('kept', :account, 100, 'EUR', 'cash')).number"
    )
    with pytest.raises(Exception, match="posting_is_complete"):
        await merchant.run(keep, account=account)


async def test_what_a_commit_would_refuse_is_refused_while_it_is_tried_out(
    merchant: Merchant, database: Database
) -> None:
    account = await merchant.account()
    await merchant.configure('[[payment_methods]]\nid = "gift"\nname = "Gift"\nledger_account = "voucher_clearing"')
    await merchant.run(
        "update duly.transaction_types set allowed_methods = allowed_methods || '{gift}' where id = 'payment'"
    )
    pay = "select duly.create_payment(:key, :account, 100, 'EUR', :method)"

    async with dry_run(database) as trying:
        with pytest.raises(RuleBrokenError) as tried:
            await trying.rows(pay, key="tried", account=account, method="gift")
        await trying.rows(pay, key="tried", account=account, method="cash")
        [seen] = await trying.rows(_NUMBER, key="tried")
    with pytest.raises(RuleBrokenError) as posted:
        await database.rows(pay, key="posted", account=account, method="gift")

    assert tried.value.type == posted.value.type == "voucher_first"
    assert seen.number.startswith("TRIED-")
