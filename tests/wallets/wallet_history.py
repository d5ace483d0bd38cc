"""Random stories of a wallet, told to the ledger and to a plain Python oracle, which must agree after every action."""

from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from random import Random
from typing import Any

from models.ledger.refusals import LedgerError
from tests.ledger.books import Books

LIMIT = 10000


class DisagreementError(AssertionError):
    """The ledger and the oracle differ."""


@dataclass
class Credit:
    """A credit as the oracle keeps it: what is left of it, in how many days it ends, and the payment that funded it."""

    id: str
    amount: int
    ends: float
    is_invoiced: bool
    left: int
    payment: str = ""
    is_voided: bool = False


@dataclass
class Debit:
    """A debit as the oracle keeps it: what it has used of which credit, and what it changes of what is owed."""

    id: str
    used: list[tuple[Credit, int]]
    owed: int
    is_voided: bool = False


@dataclass
class WalletHistory:
    """One account's wallet; each step is an action of the ledger and of the oracle."""

    books: Books
    owner: Books
    seed: int
    credits: list[Credit] = field(default_factory=list)
    debits: list[Debit] = field(default_factory=list)
    owed: int = 0
    steps: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.account = self.books.open_account(f"acc_w{self.seed}")

    @property
    def held(self) -> int:
        """What is in the wallet."""
        return sum(credit.left for credit in self.credits)

    def step(self) -> None:
        """Do one thing, and compare."""
        self.steps += 1
        actions = (self.credit, self.credit, self.spend, self.spend, self.spend, self.void, self.fund, self.cancel)
        self.random.choice((*actions, self.wait))()
        self.compare()

    def compare(self) -> None:
        """Raise a DisagreementError unless both have the same credits, wallet and debts, and nothing is broken."""
        left = self.books.run("select id, left_minor from duly.wallet_credits(%s)", self.account)
        ours = [(one.id, one.left) for one in self._in_order()]
        theirs = (
            left,
            self.books.value("select duly.wallet_balance(%s)", self.account),
            self.books.balance(self.account),
        )
        if theirs != (ours, self.held, self.owed):
            raise DisagreementError(f"{theirs} where {(ours, self.held, self.owed)} was expected")

    def credit(self) -> None:
        amount, is_invoiced = self.random.choice((1, 700, 3000)), self.random.random() < 0.5
        days = self.random.choice((None, 0, 3))
        self._expire()
        rule = "wallet_limit" if amount > LIMIT - self.held else ""
        made = self._ask(
            rule,
            "wallet_credit",
            amount_minor=amount,
            currency="EUR",
            type_id="top_up" if is_invoiced else "present",
            **({} if days is None else {"expires_on": self._today() + timedelta(days=days)}),
        )
        if made:
            ends = (inf if is_invoiced else 30) if days is None else days
            self.credits.append(Credit(made, amount, ends, is_invoiced, amount))
            self.owed += amount if is_invoiced else 0

    def spend(self) -> None:
        amount, buys = self.random.choice((1, 500, 2000, 4000)), self.random.random() < 0.5
        self._expire()
        rule = "wallet_never_negative" if amount > self.held else ""
        type = "film" if buys else "spend"
        made = self._ask(rule, "wallet_debit", amount_minor=amount, currency="EUR", type_id=type)
        if not made:
            return
        used, left = [], amount
        for one in self._in_order():
            part = min(one.left, left)
            one.left, left = one.left - part, left - part
            used += [(one, part)] if part else []
        self.debits.append(Debit(made, used, 0 if buys else -amount))
        self.owed += 0 if buys else -amount

    def void(self) -> None:
        self._expire()
        moved: list[Credit | Debit] = [*self.credits, *self.debits]
        if not moved:
            return
        found = self.random.choice(moved)
        rule = "wallet_voided_once" if found.is_voided else ""
        if isinstance(found, Credit):
            rule = rule or ("wallet_credit_unspent" if found.left < found.amount else "")
        made = self._ask(rule, "wallet_void", transaction_id=found.id)
        if not made:
            return
        if isinstance(found, Credit):
            self._voided(found)
        else:
            found.is_voided = True
            self.owed -= found.owed
            for one, part in found.used:
                one.left += part

    def fund(self) -> None:
        """Pay by a type that fills the wallet, as far as there is room."""
        amount = self.random.choice((100, 2500, 6000))
        self._expire()
        payment = self.books.pay(self._key(), self.account, amount, type_id="wallet_payment", posted_on=None)
        # What a void has given back may lie above the limit.
        funded = max(0, min(amount, LIMIT - self.held))
        if funded:
            found = "select id, transaction_id from duly.wallet_transactions where funding_payment_id = %s"
            id, invoice = self.books.run(found, payment)[0]
            if self.books.unsettled(invoice):
                raise DisagreementError(f"{invoice} is not settled by {payment}, which has funded {id}")
            self.credits.append(Credit(id, funded, inf, True, funded, payment))
        self.owed += funded - amount

    def cancel(self) -> None:
        """Cancel a payment that has filled the wallet, by a type that takes that back unless it is spent."""
        paid = [one for one in self.credits if one.payment]
        if not paid:
            return
        found = self.random.choice(paid)
        amount = int(self.books.transaction(found.payment)["total_minor"])
        type = self.random.choice(("wallet_payment_cancellation", None))
        self.books.call("cancel_payment", key=self._key(), payment_id=found.payment, type_id=type)
        self.owed += amount
        if type and found.left == found.amount and not found.is_voided:
            self._voided(found)
        found.payment = ""

    def wait(self) -> None:
        """Let days go by, and sometimes the night's work be done."""
        days = self.random.choice((1, 4))
        self.owner.run("alter table duly.wallet_transactions disable trigger append_only")
        self.owner.run(
            "update duly.wallet_transactions set expires_on = expires_on - %s where account_id = %s", days, self.account
        )
        self.owner.run("alter table duly.wallet_transactions enable trigger append_only")
        for one in self.credits:
            one.ends -= days
        self.books.run("select duly.expire_wallets('', 1000)")
        self._expire()

    def finish(self) -> None:
        """Raise a DisagreementError if an invariant is broken."""
        if violations := self.books.violations():
            raise DisagreementError(f"{violations}")

    def _voided(self, credit: Credit) -> None:
        credit.left, credit.is_voided = 0, True
        self.owed -= credit.amount if credit.is_invoiced else 0

    def _expire(self) -> None:
        for one in self.credits:
            if one.ends < 0:
                one.left = 0

    def _in_order(self) -> list[Credit]:
        open_ones = [one for one in self.credits if one.left]
        return sorted(open_ones, key=lambda one: (one.ends, int(one.id.removeprefix("wt_"))))

    def _ask(self, rule: str, function: str, **given: Any) -> str:
        """Ask the ledger for what the oracle allows or refuses by a rule; return the id, empty when it was refused.

        What is refused is rolled back whole, the expiry that it had booked too: the night's work comes before it.
        """
        self.books.run("select duly.expire_wallets('', 1000)")
        account = {} if function == "wallet_void" else {"account_id": self.account}
        arguments = {"key": self._key(), **account, **given}
        names = ", ".join(f"p_{name} => %s" for name in arguments)
        try:
            made = str(self.books.value(f"select duly.{function}({names})", *arguments.values()))
        except LedgerError as error:
            if error.rule != rule:
                raise DisagreementError(
                    f"{function} {given}: {error} where {rule or 'nothing'} was expected"
                ) from error
            return ""
        if rule:
            raise DisagreementError(f"{function} {given} went through where {rule} was expected")
        return made

    def _key(self) -> str:
        return f"{self.account}/{self.steps}"

    def _today(self) -> Any:
        return self.books.value("select (clock_timestamp() at time zone 'UTC')::date")
