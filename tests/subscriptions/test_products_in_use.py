"""What is not sold, or not any more, is refused with what is."""

from tests.support.builders import Merchant
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "as ordered")


async def test_a_product_that_is_not_sold_is_refused_with_those_that_are(cli: CommandLine, merchant: Merchant) -> None:
    await merchant.run("update duly.products set is_active = false where id <> 'plan'")
    await merchant.run(
        "insert into duly.products (id, name, ledger_account, is_active) values ('retired', 'R', 'revenue:r', false)"
    )
    account = await merchant.account()
    terms = ("--price", "9.99", *WHO, "--json")

    refused = [await cli("subscriptions", "create", account, product, *terms) for product in ("gold", "retired")]
    await merchant.run("update duly.products set is_active = false")
    none = await cli("subscriptions", "create", account, "plan", *terms)

    assert [one.error["problems"][0]["message"] for one in (*refused, none)] == [
        "there is no product gold; in use: plan",
        "retired is out of use; in use: plan",
        "plan is out of use; none is in use: `definitions apply` configures them",
    ]
