"""A history told to the ledger and to the oracle at once. After each action the two must agree."""

import json
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, Protocol, TypeVar

from models.allocation import Principle
from models.currency import EXPONENTS
from models.errors import LedgerError
from models.transaction import Classification, LifeCycleState
from tests.ledger.books import Books, line
from tests.ledger.model import (
    ModelAccount,
    ModelLedger,
    ModelTransaction,
    counterpart,
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


class Story:
    """One history on accounts of its own, in a currency of its own, for that has its own system accounts too."""

    def __init__(self, books: Books, owner: Books, choices: Choices, number: int) -> None:
        self.books, self.owner, self.choices, self.name = books, owner, choices, f"story{number}"
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
        self.actions: tuple[Callable[[], None], ...] = (
            *[self.invoice] * 4,
            self.batch,
            *[self.payment] * 5,
            *[self.credit_note] * 3,
            *[self.refund] * 2,
            self.edit_draft,
            self.post_draft,
            self.post_gateway_payment,
            self.reject,
            self.cancel_invoice,
            self.cancel_payment,
            self.write_off,
            self.move,
            self.quick_pay,
            self.change_account,
            self.change_principle,
            self.repeat,
            self.reuse_key,
            self.roll_up,
        )

    def step(self) -> None:
        """Take one action and compare."""
        self.choices.pick(self.actions)()
        self.compare()

    def invoice(self) -> None:
        account, posted_on, net = self._account(), self._day(), self._amount()
        due_on = self._due(posted_on)
        draft, lines = self.choices.number(0, 4) == 0, [line(net, tax_percent=19), line(net, product="silver")]
        total = sum(each["total_minor"] for each in lines)
        key = self._key()

        def ask() -> str:
            return self.books.call(
                "create_invoice", key=key, account_id=account, currency=self.currency, lines=lines, draft=draft,
                due_on=due_on, posted_on=None if draft else posted_on,
            ).transaction_id  # fmt: skip

        made = self._ask(self.model.refuses_new(account), ask, key)
        if made:
            self._made(ModelTransaction(made, Classification.INVOICE, account, total, due_on=due_on), draft, posted_on)

    def batch(self) -> None:
        posted_on = self._day()
        wanted = [(self._key(), self._account(), self._amount(), self._due(posted_on)) for _ in range(3)]
        elements = [
            {"key": key, "account_id": account, "currency": self.currency, "posted_on": str(posted_on),
             "due_on": str(due_on), "lines": [line(net)]}
            for key, account, net, due_on in wanted
        ]  # fmt: skip
        rule = next(filter(None, (self.model.refuses_new(account) for _, account, _, _ in wanted)), None)
        made: list[str] = []

        def ask() -> str:
            rows = self.books.run("select transaction_id from duly.post_invoices(%s)", json.dumps(elements))
            made[:] = [row[0] for row in rows]
            return made[0]

        if self._ask(rule, ask, wanted[0][0]):
            self.model.post_batch(
                [
                    ModelTransaction(new, Classification.INVOICE, account, net, due_on=due_on)
                    for new, (_, account, net, due_on) in zip(made, wanted, strict=True)
                ],
                posted_on,
            )

    def payment(self) -> None:
        account, posted_on, amount, key = self._account(), self._day(), self._amount(), self._key()
        addressed = self._addressed(account)
        provider = self.choices.pick([*[None] * 4, "stripe"])
        draft = provider is not None or self.choices.number(0, 3) == 0

        def ask() -> str:
            return self.books.call(
                "create_payment", key=key, account_id=account, amount_minor=amount, currency=self.currency,
                method="card" if provider else "cash", provider=provider, draft=draft,
                addressed_invoice_ids=_array(addressed), posted_on=None if draft else posted_on,
            ).transaction_id  # fmt: skip

        made = self._ask(self.model.refuses_new(account, addressed), ask, key)
        if made:
            new = ModelTransaction(
                made, Classification.PAYMENT, account, amount, addressed=addressed, provider=provider
            )
            self._made(new, draft, posted_on)

    def credit_note(self) -> None:
        account, posted_on, amount, key = self._account(), self._day(), self._amount(), self._key()
        addressed = self._addressed(account)
        draft = self.choices.number(0, 4) == 0

        def ask() -> str:
            return self.books.call(
                "create_credit_note", key=key, account_id=account, currency=self.currency, lines=[line(amount)],
                addressed_invoice_ids=_array(addressed), draft=draft, posted_on=None if draft else posted_on,
            ).transaction_id  # fmt: skip

        made = self._ask(self.model.refuses_new(account, addressed), ask, key)
        if made:
            new = ModelTransaction(made, Classification.CREDIT_NOTE, account, amount, addressed=addressed)
            self._made(new, draft, posted_on)

    def refund(self) -> None:
        account, posted_on, amount, key = self._account(), self._day(), self._amount(), self._key()
        found = self.model.accounts.get(account)
        if found and found.credit_limit is not None and self.choices.number(0, 1):
            amount = max(1, found.credit_limit - found.balance + self.choices.number(0, 1))
        acknowledged = self.choices.number(0, 1) == 1
        rule = self.model.refuses_new(account)
        if rule is None and not acknowledged:
            rule = self.model.refuses_refund(account, amount)

        def ask() -> str:
            return self.books.call(
                "create_refund", key=key, account_id=account, amount_minor=amount, currency=self.currency,
                method="cash", posted_on=posted_on, acknowledge_credit_limit=acknowledged,
            ).transaction_id  # fmt: skip

        made = self._ask(rule, ask, key)
        if made:
            self._made(ModelTransaction(made, Classification.REFUND, account, amount), False, posted_on)

    def edit_draft(self) -> None:
        found, amount = self._transaction(Classification.PAYMENT, state=LifeCycleState.DRAFT), self._amount()
        if found is None or found.classification is not Classification.PAYMENT:
            return
        rule = None if found.state is LifeCycleState.DRAFT else "draft_only"
        rule = rule or self.model.refuses_new(found.account, found.addressed)
        edited = self._ask(
            rule,
            lambda: (
                self.books.call("edit_draft", transaction_id=found.id, changes={"total_minor": amount}).transaction_id
            ),
        )
        if edited:
            found.total = amount

    def post_draft(self) -> None:
        found, posted_on = self._transaction(*Classification, state=LifeCycleState.DRAFT), self._day()
        if found is None or found.state is LifeCycleState.POSTED:
            return
        due_on = found.due_on
        if due_on and found.state is LifeCycleState.DRAFT:
            # A draft's due date was chosen for another day; any day on which it is allowed will do.
            posted_on = due_on - timedelta(days=14)
        reference = f"pi_{self._key()}" if found.provider and self.choices.number(0, 2) else None
        posted = self._ask(
            self.model.refuses_post(found, reference),
            lambda: (
                self.books.call(
                    "post_draft", transaction_id=found.id, posted_on=posted_on, gateway_reference=reference
                ).transaction_id
            ),
        )
        if posted:
            found.gateway_reference = reference
            self.model.post(found, posted_on)

    def post_gateway_payment(self) -> None:
        found = self._transaction(Classification.PAYMENT, state=LifeCycleState.DRAFT)
        if found is None or found.provider is None:
            return
        reference = found.gateway_reference or f"pi_{self._key()}"
        is_repeat = found.posted_on is not None and reference == found.gateway_reference
        rule = None if is_repeat or found.state is LifeCycleState.DRAFT else "draft_only"

        def ask() -> str:
            self.books.run("select duly.post_gateway_payment(%s, %s)", found.id, reference)
            return found.id

        if self._ask(rule, ask) and not is_repeat:
            if self.model.accounts[found.account].state == "terminated":
                found.account = self.suspense
                self._adopt(self.suspense)
            found.gateway_reference = reference
            stored = self.books.transaction(found.id)
            self.model.post(found, stored["posted_on"])

    def reject(self) -> None:
        found = self._transaction(*Classification, state=LifeCycleState.DRAFT)
        if found is None or found.state is LifeCycleState.REJECTED:
            return
        rule = None if found.state is LifeCycleState.DRAFT else "draft_only"
        if rule is None and self.model.accounts[found.account].state == "terminated":
            rule = "account_not_terminated"

        def ask() -> str:
            self.books.run("select duly.reject_draft(%s, 'duplicate', 'ada')", found.id)
            return found.id

        if self._ask(rule, ask):
            found.state = LifeCycleState.REJECTED

    def cancel_invoice(self) -> None:
        self._cancel(Classification.INVOICE, Classification.INVOICE_CANCELLATION)

    def cancel_payment(self) -> None:
        self._cancel(Classification.PAYMENT, Classification.PAYMENT_CANCELLATION)

    def write_off(self) -> None:
        found = self._unsettled_invoice()
        posted_on, key = self._day(), self._key()
        if found is None:
            return
        left = self.model.unsettled(found.id) if found.posted_on else 0

        def ask() -> str:
            return self.books.call(
                "write_off", key=key, invoice_id=found.id, type_id="write_off", posted_on=posted_on
            ).transaction_id

        made = self._ask(self.model.refuses_write_off(found), ask, key)
        if made:
            self._adopt(self.written_off)
            mirror = self.books.value("select id from duly.financial_transactions where counterpart_id = %s", made)
            credit = counterpart(found, made, Classification.WRITE_OFF, total=left)
            invoice = counterpart(credit, mirror, Classification.INVOICE, account=self.written_off)
            self.model.write_off(found, credit, invoice, posted_on)

    def move(self) -> None:
        found = self._transaction(Classification.PAYMENT, state=LifeCycleState.POSTED)
        account, posted_on, key = self._account(), self._day(), self._key()
        if found is None:
            return

        def ask() -> str:
            return self.books.call(
                "move_to_account", key=key, payment_id=found.id, account_id=account, posted_on=posted_on
            ).transaction_id

        made = self._ask(self.model.refuses_move(found, account), ask, key)
        if made:
            cancellation = self.books.value(
                "select id from duly.financial_transactions where counterpart_id = %s"
                " and classification = 'payment_cancellation'",
                found.id,
            )
            cancelling = counterpart(found, cancellation, Classification.PAYMENT_CANCELLATION)
            self.model.cancel(found, cancelling, posted_on)
            moved = counterpart(found, made, Classification.PAYMENT, account=account, provider=found.provider)
            moved.gateway_reference = found.gateway_reference
            self.model.post(moved, posted_on)

    def quick_pay(self) -> None:
        found = self._unsettled_invoice()
        posted_on, key = self._day(), self._key()
        if found is None:
            return
        left = self.model.unsettled(found.id) if found.posted_on else 0

        def ask() -> str:
            return self.books.call(
                "quick_pay", key=key, invoice_id=found.id, method="cash", posted_on=posted_on
            ).transaction_id

        made = self._ask(self.model.refuses_quick_pay(found), ask, key)
        if made:
            payment = ModelTransaction(made, Classification.PAYMENT, found.account, left, addressed=(found.id,))
            self._made(payment, False, posted_on)

    def change_account(self) -> None:
        account = f"{self.name}_{self.choices.number(0, 2)}"
        state = self.choices.pick([*["active"] * 7, "suspended", "terminated"])
        self.books.run("select duly.set_account_state(%s, %s)", account, state)
        self.model.accounts[account].state = state

    def change_principle(self) -> None:
        self.model.principle = self.choices.pick([Principle.FIFO, *[Principle.AGAINST_ITEM_AND_FIFO] * 3])
        self.owner.run("update duly.definitions set allocation_principle = %s", self.model.principle)

    def repeat(self) -> None:
        """Ask again with an old key: the answer must be the old one, whatever has changed since."""
        if not self.keys:
            return
        _, expected, ask = self.choices.pick(self.keys)
        self._agree("repeat", ask(), expected)

    def reuse_key(self) -> None:
        """Ask for something else with an old key."""
        if self.keys:
            key, _, _ = self.choices.pick(self.keys)
            self._ask(
                "key_means_one_request",
                lambda: self.books.pay(key, f"{self.name}_0", 1, currency=self.currency, method="cheque"),
            )

    def roll_up(self) -> None:
        self.books.run("select duly.mark_roll_up()")
        self.books.run("select duly.fill_roll_ups()")

    def compare(self) -> None:
        """Compare balances, states and what settles what, on every account of the story."""
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

    def _cancel(self, classification: Classification, cancelling: Classification) -> None:
        found = self._transaction(classification, state=LifeCycleState.POSTED)
        posted_on, key = self._day(), self._key()
        if found is None:
            return
        name = "invoice" if classification is Classification.INVOICE else "payment"
        arguments: dict[str, Any] = {"key": key, f"{name}_id": found.id, "posted_on": posted_on}
        made = self._ask(
            self.model.refuses_cancel(found, classification),
            lambda: self.books.call(f"cancel_{name}", **arguments).transaction_id,
            key,
        )
        if made:
            self.model.cancel(found, counterpart(found, made, cancelling), posted_on)

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

    def _adopt(self, account_id: str) -> None:
        self.model.accounts.setdefault(account_id, ModelAccount())

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

    def _unsettled_invoice(self) -> ModelTransaction | None:
        """Pick an invoice to be settled: mostly one that is paid in part."""
        posted = [t for t in self.model.transactions.values() if t.state is LifeCycleState.POSTED]
        invoices = [t for t in posted if t.classification is Classification.INVOICE]
        in_part = [t for t in invoices if 0 < self.model.unsettled(t.id) < t.total]
        if in_part and self.choices.number(0, 2):
            return self.choices.pick(in_part)
        return self._transaction(Classification.INVOICE, state=LifeCycleState.POSTED)

    def _addressed(self, account: str) -> tuple[str, ...]:
        every = [t for t in self.model.transactions.values() if t.classification is Classification.INVOICE]
        fitting = [t.id for t in every if t.account == account and t.state is LifeCycleState.POSTED]
        found = fitting if fitting and self.choices.number(0, 5) else [t.id for t in every]
        if not found or self.choices.number(0, 2) == 0:
            return ()
        return tuple(sorted({self.choices.pick(found) for _ in range(self.choices.number(1, 3))}))


def _array(ids: Sequence[str]) -> str:
    return "{" + ",".join(ids) + "}"
