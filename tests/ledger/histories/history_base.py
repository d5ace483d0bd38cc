"""What every part of a history needs: the ledger, the oracle, choices, and agreement between the two."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Protocol, TypeVar

from models.currency import EXPONENTS
from models.ledger.refusals import LedgerError
from models.ledger.transaction import Classification, LifeCycleState
from tests.ledger.books import Books
from tests.ledger.oracle.model import (
    ModelAccount,
    ModelLedger,
    ModelTransaction,
)

T = TypeVar("T")
FIRST_DAY = date(2026, 5, 1)
NOBODY = "acc_nobody"
PROXIMITY_DAYS = 10
CURRENCIES = sorted(EXPONENTS)


class Choices(Protocol):
    """Where a history takes its turns: a seeded generator, or Hypothesis."""

    def number(self, low: int, high: int) -> int: ...

    def pick(self, options: Sequence[T]) -> T: ...


class Disagreement(AssertionError):
    """The ledger and the oracle differ."""


class HistoryBase:
    """One history on accounts of its own, in a currency of its own, for that has its own system accounts too."""

    def __init__(self, books: Books, owner: Books, choices: Choices, number: int) -> None:
        self.books, self.owner, self.choices, self.name = books, owner, choices, f"history{number}"
        self.currency = CURRENCIES[number]
        self.suspense = f"acc_suspense_{self.currency.lower()}"
        self.written_off = f"acc_write_off_{self.currency.lower()}"
        self.model = ModelLedger()
        self.keys: list[tuple[str, str, Callable[[], str]]] = []
        self.count = 0
        owner.run(
            "update duly.due_date_rules set proximity_operator = 'plus_minus', proximity_days = %s", PROXIMITY_DAYS
        )
        owner.run("update duly.definitions set allocation_principle = 'against_item_and_fifo'")
        for index in range(3):
            limit = 150 if index == 0 else None
            account = books.open_account(f"{self.name}_{index}", self.currency, credit_limit_minor=limit)
            self.model.accounts[account] = ModelAccount(credit_limit=limit)

    def compare(self) -> None:
        """Compare balances, states and what settles what, on every account of the history."""
        accounts = [*self.model.accounts]
        balances = dict(
            self.books.run(
                "select account_id, balance_minor from duly.account_balances where account_id = any (%s)", accounts
            )
        )
        self._agree("balances", balances, {name: account.balance for name, account in self.model.accounts.items()})
        stored = dict(
            self.books.run(
                "select id, state::text from duly.financial_transactions where account_id = any (%s)", accounts
            )
        )
        self._agree("states", stored, {t.id: str(t.state) for t in self.model.transactions.values()})
        self._agree("allocations", self.books.allocations(*accounts), self._allocations())

    def _allocations(self) -> set[tuple[str, str, int]]:
        sums: dict[tuple[str, str], int] = {}
        for account in self.model.accounts.values():
            for each in account.settlement.allocations:
                pair = (each.credit_id, each.debit_id)
                sums[pair] = sums.get(pair, 0) + each.amount_minor
        return {(credit, debit, amount) for (credit, debit), amount in sums.items()}

    def finish(self) -> None:
        """Compare the whole ledger with its own invariants."""
        self._agree("violations", self.books.violations(), [])

    def _ask(self, rule: str | None, ask: Callable[[], str], key: str | None = None) -> str | None:
        """Ask the ledger; it must refuse by the rule that the oracle foresees, or not at all."""
        try:
            made = ask()
        except LedgerError as error:
            self._agree("refusal", error.rule, rule)
            return None
        self._agree("refusal", None, rule)
        if key:
            self.keys.append((key, made, ask))
        return made

    def _made(self, transaction: ModelTransaction, draft: bool, posted_on: date) -> None:
        if draft:
            self.model.transactions[transaction.id] = transaction
        else:
            self.model.post(transaction, posted_on)

    def _agree(self, what: str, ledger: object, oracle: object) -> None:
        if ledger != oracle:
            raise Disagreement(f"{what}: the ledger says {ledger}, the oracle {oracle}")

    def _key(self) -> str:
        self.count += 1
        return f"{self.name}/{self.count}"

    def _account(self) -> str:
        number = self.choices.number(0, 12)
        return NOBODY if number == 12 else f"{self.name}_{number % 3}"

    def _amount(self) -> int:
        return self.choices.number(1, 60)

    def _day(self) -> date:
        return FIRST_DAY + timedelta(days=self.choices.number(0, 20))

    def _due(self, posted_on: date) -> date:
        return posted_on + timedelta(days=14 + self.choices.number(-PROXIMITY_DAYS, PROXIMITY_DAYS))

    def _transaction(self, *likely: Classification, state: LifeCycleState | None = None) -> ModelTransaction | None:
        """Pick a transaction: mostly one of the likely kinds and state, sometimes any, to be refused."""
        every = list(self.model.transactions.values())
        fitting = [t for t in every if t.classification in likely and state in {None, t.state}]
        if fitting and self.choices.number(0, 4):
            every = fitting
        return self.choices.pick(every) if every else None

    def _addressed(self, account: str) -> tuple[str, ...]:
        every = [t for t in self.model.transactions.values() if t.classification is Classification.INVOICE]
        payable = [t for t in every if t.account == account and self.model.is_payable(t)]
        owed_again = [t.id for t in payable if t.state is LifeCycleState.WRITTEN_OFF]
        fitting = owed_again if owed_again and self.choices.number(0, 1) else [t.id for t in payable]
        found = fitting if fitting and self.choices.number(0, 5) else [t.id for t in every]
        if not found or self.choices.number(0, 2) == 0:
            return ()
        return tuple(sorted({self.choices.pick(found) for _ in range(self.choices.number(1, 3))}))


def as_array(ids: Sequence[str]) -> str:
    return "{" + ",".join(ids) + "}"
