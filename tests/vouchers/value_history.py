"""Random stories of what is paid in, given, stored and refunded: nobody gets more money out than came in."""

from collections.abc import Callable
from random import Random
from typing import Any

from models.ledger.refusals import LedgerError
from tests.ledger.books import Books, line
from tests.vouchers.voucher_history import hashed

_SUM = "select coalesce(sum(total_minor), 0) from duly.financial_transactions where account_id = any(%s)"
_CASH = _SUM + " and classification = 'payment' and state = 'posted' and method = 'cash'"
_REFUNDED = _SUM + " and classification = 'refund' and state = 'posted'"
_WRITTEN_OFF = _SUM + " and classification = 'write_off' and state = 'posted'"
_UNTOUCHED = (
    "select t.id from duly.financial_transactions t where t.account_id = any(%s) and t.classification = 'invoice'"
    " and t.state = 'posted' and not exists (select from duly.financial_transactions n"
    " where n.classification = 'credit_note' and t.id = any(n.addressed_invoice_ids))"
)
_TO_CREDIT = (
    "select t.id, t.account_id, t.total_minor - (select coalesce(sum(n.total_minor), 0) from"
    " duly.financial_transactions n where n.classification = 'credit_note' and t.id = any(n.addressed_invoice_ids))"
    " from duly.financial_transactions t join duly.transaction_lines l on l.transaction_id = t.id"
    " where l.product_id = 'gold' and t.account_id = any(%s) and t.classification = 'invoice' and t.state = 'posted'"
)


class PaidOutError(AssertionError):
    """More can be had in money than was paid in, or money is held back for a present that nobody gave."""


class ValueHistory:
    """Two accounts of a ledger with wallets and vouchers; each step is an action that may be refused by a rule."""

    def __init__(self, books: Books, seed: int, *, gives: bool) -> None:
        self.books, self.seed, self.gives, self.random, self.steps = books, seed, gives, Random(seed), 0
        self.accounts = [books.open_account(f"acc_value_{seed}_{gives}_{number}") for number in (1, 2)]
        self.codes: list[str] = []
        self.batches: list[str] = []

    def step(self) -> None:
        """Do one thing, and compare."""
        usual = (self.invoice, self.pay, self.fill, self.spend, self.issue, self.redeem, self.refund, self.credit)
        action: Callable[[], object] = self.random.choice(
            (*usual, *usual, self.void, self.cancel, self.give_back, self.cancel_vouchers, self.write_off)
        )
        self.steps += 1
        try:
            action()
        except LedgerError:
            return
        self.compare(action.__name__)

    def compare(self, action: str) -> None:
        """Raise a PaidOutError where more is refunded, or may be, than was paid in, is owed, or was given up."""
        paid, refunded, lost = (int(self._value(sql)) for sql in (_CASH, _REFUNDED, _WRITTEN_OFF))
        owed = sum(max(0, self.books.balance(account)) for account in self.accounts)
        open_minor = sum(self._refundable(account) for account in self.accounts)
        if open_minor + refunded > paid + owed + lost:
            raise PaidOutError(f"{self.seed}, {action}: {open_minor} + {refunded} of {paid} + {owed} + {lost}")
        if not self.gives and (held := sum(self._promotional(account) for account in self.accounts)):
            raise PaidOutError(f"{self.seed}, {action}: {held} is held back, and nothing was given")

    def invoice(self) -> None:
        self.books.invoice(self._key(), self._account(), self._amount(), posted_on=None)

    def pay(self) -> None:
        type = self.random.choice((None, "wallet_payment"))
        self.books.pay(self._key(), self._account(), self._amount(), posted_on=None, type_id=type)

    def fill(self) -> None:
        self._move("wallet_credit", "present" if self.gives and self.random.random() < 0.5 else "top_up")

    def spend(self) -> None:
        self._move("wallet_debit", self.random.choice(("spend", "film")))

    def void(self) -> None:
        if moved := self._any("select id from duly.wallet_transactions where account_id = any(%s)"):
            self.books.run("select duly.wallet_void(%s, %s)", self._key(), moved[0])

    def cancel(self) -> None:
        if invoice := self._any(_UNTOUCHED):
            self.books.call("cancel_invoice", key=self._key(), invoice_id=invoice[0])

    def credit(self) -> None:
        found = self._any(_TO_CREDIT)
        if found and (amount := min(int(found[2]), self._amount())) > 0:
            note = {"lines": [line(amount)], "addressed_invoice_ids": [found[0]], "currency": "EUR"}
            self.books.call("create_credit_note", key=self._key(), account_id=found[1], **note)

    def give_back(self) -> None:
        payments = "select id from duly.financial_transactions where account_id = any(%s) and state = 'posted'"
        if payment := self._any(f"{payments} and classification = 'payment' and method = 'cash'"):
            type = self.random.choice((None, "wallet_payment_cancellation"))
            self.books.call("cancel_payment", key=self._key(), payment_id=payment[0], type_id=type)

    def issue(self) -> None:
        buyer = None if self.gives and self.random.random() < 0.5 else self._account()
        codes = [f"{self._key()}/{number}" for number in range(self.random.choice((1, 3)))]
        given = {"type_id": "sold" if buyer else "given", "account_id": buyer, "hashes": [hashed(one) for one in codes]}
        self.batches.append(self._ask("issue_vouchers", amount_minor=self._amount(), currency="EUR", **given))
        self.codes += codes

    def redeem(self) -> None:
        if self.codes:
            code = hashed(self.random.choice(self.codes))
            self._ask("redeem_voucher", account_id=self._account(), code_hash=code)

    def cancel_vouchers(self) -> None:
        if self.batches:
            self._ask("cancel_vouchers", batch_id=self.random.choice(self.batches))

    def refund(self) -> None:
        account = self._account()
        if (amount := self._refundable(account)) > 0:
            fields = {"account_id": account, "amount_minor": self.random.choice((amount, (amount + 1) // 2))}
            self.books.call("create_refund", key=self._key(), currency="EUR", method="cash", **fields)

    def write_off(self) -> None:
        if self.random.random() < 0.3 and (invoice := self._any(_UNTOUCHED)):
            self.books.call("write_off", key=self._key(), invoice_id=invoice[0], type_id="write_off")

    def _move(self, function: str, type: str) -> None:
        self._ask(function, account_id=self._account(), amount_minor=self._amount(), currency="EUR", type_id=type)

    def _ask(self, function: str, **given: Any) -> str:
        names = ", ".join(f"p_{name} => %s" for name in ("key", *given))
        return str(self.books.value(f"select duly.{function}({names})", self._key(), *given.values()))

    def _any(self, query: str) -> Any:
        rows = self.books.run(query, self.accounts)
        return self.random.choice(sorted(rows)) if rows else None

    def _value(self, query: str) -> Any:
        return self.books.value(query, self.accounts)

    def _promotional(self, account: str) -> int:
        return int(self.books.value("select duly.promotional_credit(%s)", account))

    def _refundable(self, account: str) -> int:
        return max(0, -self.books.balance(account) - self._promotional(account))

    def _account(self) -> str:
        return self.random.choice(self.accounts)

    def _amount(self) -> int:
        return self.random.choice((100, 500, 1000, 2500))

    def _key(self) -> str:
        return f"{self.accounts[0]}/{self.steps}"
