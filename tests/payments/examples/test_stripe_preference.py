"""The business example of CRM.COM's Stripe gateway, by commands alone: a customer pays by Stripe from now on (G9, G10).

What is asked for before it is configured is refused, and says what to configure.
"""

from tests.payments.examples.conftest import WHO, Agent

GOODS = """
[[tax_rates]]
id = "none"
name = "No tax"
percent = 0

[[products]]
id = "plan"
name = "Plan"
tax_rate = "none"
"""
METHOD = """
[[payment_methods]]
id = "stripe"
name = "Stripe"

[[transaction_types]]
id = "payment"
payment_methods = ["stripe", "bank_transfer"]
"""
PROVIDER = """
[[providers]]
id = "stripe"
mode = "test"
currencies = ["EUR"]
"""
METHOD_OF_PROVIDER = """
[[providers]]
id = "stripe"
mode = "test"
currencies = ["EUR"]
payment_methods = ["stripe"]

[[run_definitions]]
id = "monthly"
kind = "payment"
name = "Monthly"
provider = "stripe"
"""


async def test_what_is_not_configured_yet_is_named_step_by_step(agent: Agent) -> None:
    prefer, register = ("cards", "prefer", "acc-zx", "--method", "stripe", *WHO), ("cards", "register", "acc-zx")
    await agent.configure(GOODS)
    await agent.cli.json("accounts", "create", "acc-zx", "--owner", "Ann", "--currency", "EUR", *WHO)

    no_method = await agent.refused(*prefer)
    await agent.configure(METHOD)
    no_provider = await agent.refused(*register, "--method", "stripe")
    await agent.configure(PROVIDER)
    not_on_provider = await agent.refused(*register, "--method", "stripe")
    listed = await agent.cli.json("cards", "list", "--account", "acc-zx")

    assert no_method == "stripe is not configured, or not active"
    assert no_provider == "'stripe' is not configured; there is none yet: apply definitions"
    assert not_on_provider == "stripe is not among the payment methods of provider stripe"
    assert listed["cards"] == []


async def test_an_existing_customer_pays_by_stripe_from_now_on(agent: Agent, period: str) -> None:
    # given a company that has configured Stripe, and a customer who pays by bank transfer
    await agent.configure(GOODS + METHOD + METHOD_OF_PROVIDER)
    await agent.cli.json("accounts", "create", "acc-zx", "--owner", "Ann", "--currency", "EUR", *WHO)
    await agent.cli.json("cards", "prefer", "acc-zx", "--method", "bank_transfer", *WHO)
    await agent.owes("acc-zx", "25.00")
    by_bank = await agent.run(period, is_dry=True)

    # when Stripe is selected under the account's preferences, and a card is rejected, and another is accepted
    await agent.cli.json("cards", "prefer", "acc-zx", "--method", "stripe", *WHO)
    rejected, accepted = [await agent.registers("acc-zx", card) for card in ("tok_visa_chargeDeclined", "tok_visa")]
    by_card = await agent.run(period)
    await agent.owes("acc-zx", "10.00")
    next_month = await agent.run(f"{int(period[:4]) + 1}{period[4:]}")
    shown = await agent.cli.json("accounts", "show", "acc-zx")
    payments = (await agent.cli.json("payments", "list", "--account", "acc-zx"))["payments"]

    # then the card is charged every month, without anybody's doing, and all of it is found from the Stripe account
    assert (by_bank, by_card, next_month) == (
        [("pays_by_bank_transfer", 2500)],
        [("charged", 2500)],
        [("charged", 1000)],
    )
    assert (rejected, accepted, shown["balance_minor"]) == ("rejected", "active", 0)
    assert [one["method"] for one in shown["preferences"] if one["is_preferred"]] == ["stripe"]
    assert [(one["method"], one["state"]) for one in payments] == [("stripe", "succeeded")] * 2
