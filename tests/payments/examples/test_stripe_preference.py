"""The business example of CRM.COM's Stripe gateway, by commands alone: a customer pays by Stripe from now on (G9, G10).

What is asked for before it is configured is refused, and says what to configure.
"""

from pathlib import Path

import pytest
from stripe import StripeClient

from tests.support.command_line import CommandLine

WHO = ("--actor", "agent", "--reason", "asked to pay by Stripe")
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


class Agent:
    """An agent of company ZX at the command line, and what is told them."""

    def __init__(self, cli: CommandLine, stripe: StripeClient, folder: Path) -> None:
        self.cli, self._stripe, self._folder = cli, stripe, folder

    async def configure(self, document: str) -> None:
        """Apply a document of the configuration."""
        path = self._folder / "definitions.toml"
        path.write_text(document, encoding="utf-8")
        await self.cli.json("definitions", "apply", str(path), *WHO)

    async def registers(self, account: str, card: str) -> str:
        """Register a card that runs may charge, by the token that the customer's browser has got; return its state."""
        token = self._stripe.v1.payment_methods.create({"type": "card", "card": {"token": card}}).id
        saved = await self.cli.json("cards", "register", account, "--method", "stripe", "--token", token, "--recurring")
        return str((await self.cli.json("cards", "show", saved["card"]))["state"])

    async def refused(self, *words: str) -> str:
        """Ask for what is not possible yet; return what it says that is missing."""
        answer = await self.cli(*words, "--json")
        assert answer.exit_code == 1, answer.stdout
        return " ".join(problem["message"] for problem in answer.error["problems"])

    async def owes(self, account: str, price: str) -> None:
        """Invoice a customer."""
        line = f"product=plan,price={price}"
        await self.cli.json("transactions", "create", "invoice", account, "--line", line, "--posted-on", "2026-05-20")

    async def run(self, period: str, *, is_dry: bool = False) -> list[tuple[str, int]]:
        """Run a month's payments, or ask what it would do; return outcomes with their amounts."""
        words = ("dry-run", "monthly", period) if is_dry else ("start", "monthly", period, "--not-due-yet", "--wait")
        run = await self.cli.json("runs", *words)
        return [(total["outcome"], total["amount_minor"]) for total in run.get("certificate", run)["totals"]]


@pytest.fixture
def agent(cli: CommandLine, workers: None, stripe_sdk: StripeClient, tmp_path: Path) -> Agent:
    """An agent of a company that has configured nothing yet."""
    del workers
    return Agent(cli, stripe_sdk, tmp_path)


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

    assert "method: stripe is not configured" in no_method
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
