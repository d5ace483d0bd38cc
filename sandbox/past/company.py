"""A small company in the past: who joins, changes and leaves, and everything through which things happen to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from activities.configuration.definitions import Definitions
from activities.configuration.document import DefinitionsDocument, Policy
from models.collections.dunning import DunningPolicy, GiveUpAction
from models.money import Money
from sandbox.customers.gateway_customers import SavedAccount
from sandbox.customers.generation import GeneratedAccount, GeneratedSubscription
from sandbox.customers.load import load
from sandbox.customers.merchant import POLICY, WITH_SELLER, configure
from sandbox.demo.tools import Tools
from sandbox.past.bank import PastBank
from sandbox.past.cards import PastCards
from sandbox.past.lives import Life, without_problem
from sandbox.past.money_back import PastReturns

BUSINESS = "business"
# A month's collections end in it: three retries within fifteen days, and fourteen days for what a customer has to do.
PAST_POLICY = DunningPolicy(
    id=POLICY.id,
    declined_after=(timedelta(days=3), timedelta(days=5), timedelta(days=7)),
    technical_after=(timedelta(hours=1), timedelta(hours=6), timedelta(days=1)),
    local_hour=10,
)
PRICES_RISE_EVERY_MONTHS = 12
RISE = Decimal("1.05")


Subscriptions = tuple[GeneratedSubscription, ...]


class _KnownCustomers:
    """Saves nobody: the customers of a changed import are at the gateway already, and their cards stay as they are."""

    async def save(self, accounts: Sequence[GeneratedAccount]) -> list[SavedAccount]:
        return [SavedAccount(account, "", ()) for account in accounts]


@dataclass
class Company:
    """Its accounts as they are by now, and everything through which something can happen to them."""

    tools: Tools
    lives: list[Life]

    def __post_init__(self) -> None:
        tools = self.tools
        self.database, self.folder = tools.database, tools.folder
        self.cards = PastCards(tools)
        self.returns = PastReturns(tools.client, tools.database, tools.control)
        self.bank = PastBank(tools.database, tools.folder)

    async def set_up(self) -> None:
        """Configure it as it was: its policies take days, and what businesses owe is written off in the end."""
        self.folder.mkdir(exist_ok=True)
        await configure(self.database, WITH_SELLER)
        written_off = replace(PAST_POLICY, on_giving_up=GiveUpAction.WRITE_OFF)
        await self.configure(with_policies(PAST_POLICY, written_off))
        await self.returns.set_up()

    async def configure(self, document: DefinitionsDocument) -> None:
        """Apply another configuration."""
        await Definitions(self.database).apply(document)

    async def join(self, month: int) -> None:
        """Import who joins in a month, with their cards."""
        joining = [without_problem(life.account) for life in self.lives if life.joins == month]
        await load(joining, self.tools.customers, self.database, self.folder)
        await self.cards.start_workflows([account.id for account in joining])

    async def change_prices(self, month: int) -> None:
        """Let prices rise once a year, for everybody who is there."""
        if month and month % PRICES_RISE_EVERY_MONTHS == 0:
            await self._change([life.account.id for life in self.lives if life.is_there(month)], _dearer)

    async def upgrade(self, accounts: list[str]) -> None:
        """Let accounts take one piece more of the first thing that they have bought."""
        await self._change(accounts, _one_more)

    async def close(self, month: int) -> None:
        """Close the accounts of who has left a month ago and owes nothing."""
        left = [life.account.id for life in self.lives if life.leaves is not None and life.leaves < month]
        await self.database.rows(
            "select duly.set_account_state(a.id, 'terminated') from duly.accounts a"
            " join duly.account_balances b on b.account_id = a.id"
            " where a.id = any (:left) and a.state = 'active' and b.balance_minor = 0",
            left=left,
        )

    def paying_by_card(self, month: int) -> list[str]:
        """Return who is billed for a month and has saved a card at some time."""
        return [life.account.id for life in self.lives if life.is_there(month) and life.account.cards]

    def paying_by_transfer(self, month: int) -> list[str]:
        """Return who has been billed by a month and has never saved a card."""
        return [life.account.id for life in self.lives if life.joins <= month and not life.account.cards]

    async def _change(self, accounts: list[str], change: Callable[[Subscriptions], Subscriptions]) -> None:
        """Import accounts again with other subscriptions."""
        changed = []
        for place, life in enumerate(self.lives):
            if life.account.id in accounts:
                account = replace(life.account, subscriptions=change(life.account.subscriptions))
                self.lives[place] = replace(life, account=account)
                changed.append(without_problem(account))
        await load(changed, _KnownCustomers(), self.database, self.folder)


def _dearer(bought: Subscriptions) -> Subscriptions:
    return tuple(replace(each, plan=replace(each.plan, price=_risen(each.plan.price))) for each in bought)


def _risen(price: Money) -> Money:
    # In whole tens of minor units, which is what the gateway takes of a currency with three decimals.
    tens = (Decimal(price.amount_minor) * RISE / 10).quantize(Decimal(1), ROUND_HALF_UP)
    return Money(int(tens) * 10, price.currency)


def _one_more(bought: Subscriptions) -> Subscriptions:
    first, *others = bought
    return (replace(first, quantity=first.quantity + 1), *others)


def with_policies(everybody: DunningPolicy, businesses: DunningPolicy) -> DefinitionsDocument:
    """Return the merchant's configuration with other dunning policies."""
    policies = (Policy(policy=everybody), Policy(segment=BUSINESS, policy=businesses))
    return WITH_SELLER.model_copy(update={"dunning_policies": policies})
