"""Recurring revenue says of a month what its invoices say, worked out of the invoices alone."""

from datetime import date
from fractions import Fraction

from activities.database import Database
from activities.reports.snapshots import MrrSnapshots
from models.money import half_up
from tests.subscriptions.by_day import WHO, bill, create, lines
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine


async def test_a_month_brings_what_its_invoice_says_by_the_months_of_its_term(
    cli: CommandLine, merchant: Merchant, database: Database
) -> None:
    # given one with more pieces from December on and a pause in January, and one by the quarter with a discount
    monthly, quarterly = await merchant.account(cards=[]), await merchant.account(cards=[])
    await create(cli, monthly, "--id", "s1")
    await create(cli, quarterly, "--id", "s2", "--term", "quarter", "--discount", "33.33%")
    await cli.json("subscriptions", "change", "s1", "--quantity", "3", "--from", "2026-12-01", *WHO)
    await cli.json("subscriptions", "pause", "s1", "--from", "2027-01-01", *WHO)

    # when three months are billed, and their revenue is kept
    for month in ("2026-11", "2026-12", "2027-01"):
        await bill(database, month)
    await MrrSnapshots(database).update(date(2027, 2, 1), since=None, actor="maria", reason="month end")

    kept = await merchant.run("select account_id, mrr_minor, change from duly.mrr_amounts order by month, account_id")
    of_each = {account: [(row.mrr_minor, row.change) for row in kept if row.account_id == account]
               for account in (monthly, quarterly)}  # fmt: skip
    invoiced = [net for _, _, net in await lines(merchant, monthly)]
    ((_, _, of_quarter),) = await lines(merchant, quarterly)
    assert invoiced == [3000, 9000]
    assert of_each[monthly] == [(3000, "new"), (9000, "expansion"), (0, "churn")]
    assert [amount for amount, _ in of_each[quarterly]] == [half_up(Fraction(of_quarter, 3))] * 3
