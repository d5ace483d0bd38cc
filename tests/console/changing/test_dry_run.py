"""What is tried out keeps nobody waiting who posts on other accounts, and is never kept."""

import pytest

from activities.console.dry_run import dry_run
from activities.database import Database
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
