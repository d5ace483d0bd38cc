"""Random stories of vouchers, told to the ledger and to a plain Python oracle, which must agree after every action."""

from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Any

from models.ledger.refusals import LedgerError
from tests.ledger.books import Books

EXPENSE, BREAKAGE = "reward_expense:vouchers", "revenue:breakage"


class VouchersDifferError(AssertionError):
    """The ledger and the oracle differ."""


@dataclass
class Paper:
    """A voucher as the oracle keeps it; `ends` is in how many days, None for never."""

    code: str
    amount: int
    buyer: str | None
    batch: str
    ends: int | None
    state: str = "issued"


@dataclass
class VoucherHistory:
    """Vouchers of two accounts; each step is an action of the ledger and of the oracle."""

    books: Books
    owner: Books
    seed: int
    papers: list[Paper] = field(default_factory=list)
    owed: dict[str, int] = field(default_factory=dict)
    expense: int = 0
    breakage: int = 0
    steps: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.owed = {self.books.open_account(f"acc_v{self.seed}_{number}"): 0 for number in (1, 2)}
        self.before = self._ledger()

    def step(self) -> None:
        """Do one thing, and compare."""
        self.steps += 1
        self.random.choice((self.issue, self.redeem, self.redeem, self.redeem, self.cancel, self.wait))()
        self.compare()

    def compare(self) -> None:
        """Raise a VouchersDifferError unless states, debts and accounts are the same."""
        states = "select code_hash, coalesce(x.kind, 'issued') from duly.vouchers v join duly.voucher_batches b"
        states += " on b.id = v.batch_id left join duly.voucher_ends e on e.voucher_id = v.id"
        states += " left join duly.voucher_transactions x on x.id = e.transaction_id where b.id = any (%s)"
        out = sum(paper.amount for paper in self.papers if paper.state == "issued")
        theirs = (
            dict(self.books.run(states, list({paper.batch for paper in self.papers}))),
            {account: self.books.balance(account) for account in self.owed},
            tuple(new - old for new, old in zip(self._ledger(), self.before, strict=True)),
        )
        ours = (
            {hashed(paper.code): paper.state for paper in self.papers},
            self.owed,
            (-out, 0, self.expense, -self.breakage),
        )
        if theirs != ours:
            raise VouchersDifferError(f"{theirs} where {ours} was expected")

    def issue(self) -> None:
        amount, count = self.random.choice((1, 500, 2500)), self.random.choice((1, 3))
        buyer = self.random.choice((None, *self.owed))
        codes = [f"{self._key()}/{number}" for number in range(count)]
        batch = self._ask(
            "",
            "issue_vouchers",
            type_id="sold" if buyer else "given",
            amount_minor=amount,
            currency="EUR",
            hashes=[hashed(code) for code in codes],
            account_id=buyer,
        )
        self.papers += [Paper(code, amount, buyer, batch, None if buyer else 30) for code in codes]
        if buyer:
            self.owed[buyer] += amount * count
        else:
            self.expense += amount * count

    def redeem(self) -> None:
        paper, account = self._any(), self.random.choice(list(self.owed))
        if paper is None:
            self._ask("voucher_code", "redeem_voucher", account_id=account, code_hash=hashed("none"))
            return
        rule = "" if paper.state == "issued" else "voucher_ends_once"
        rule = rule or ("voucher_is_over" if paper.ends is not None and paper.ends < 0 else "")
        self._ask(rule, "redeem_voucher", account_id=account, code_hash=hashed(paper.code))
        if not rule:
            paper.state = "redeemed"
            self.owed[account] -= paper.amount

    def cancel(self) -> None:
        paper = self._any()
        if paper is None:
            return
        is_whole = self.random.random() < 0.5
        found = "select id from duly.vouchers where code_hash = %s"
        voucher = None if is_whole else self.books.value(found, hashed(paper.code))
        meant = [one for one in self.papers if one.batch == paper.batch and (is_whole or one is paper)]
        out = [one for one in meant if one.state == "issued"]
        rule = "" if out else "vouchers_out" if is_whole else "voucher_ends_once"
        self._ask(rule, "cancel_vouchers", batch_id=paper.batch, voucher_id=voucher)
        for one in out:
            one.state = "cancelled"
            if one.buyer:
                self.owed[one.buyer] -= one.amount
            else:
                self.expense -= one.amount

    def wait(self) -> None:
        """Let days go by, and sometimes the night's work be done."""
        days = self.random.choice((10, 20))
        change_ends(self.owner, f"expires_on - {days}")
        is_night = self.random.random() < 0.5
        for paper in self.papers:
            paper.ends = None if paper.ends is None else paper.ends - days
            if is_night and paper.state == "issued" and paper.ends is not None and paper.ends < 0:
                paper.state = "expired"
                self.breakage += paper.amount
        if is_night:
            self.books.run("select * from duly.expire_vouchers('', 1000)")

    def finish(self) -> None:
        """Raise a VouchersDifferError if an invariant is broken; what is out then ends in no other story."""
        change_ends(self.owner, "null")
        if violations := self.books.violations():
            raise VouchersDifferError(f"{violations}")

    def _ledger(self) -> tuple[int, ...]:
        """Return what is on the accounts that vouchers move, debits above zero."""
        moved = "select coalesce(sum(debit_minor - credit_minor), 0)::bigint from duly.ledger_entries"
        moved += " where ledger_account = %s"
        return tuple(self.books.value(moved, name) for name in ("vouchers", "voucher_clearing", EXPENSE, BREAKAGE))

    def _any(self) -> Paper | None:
        return self.random.choice(self.papers) if self.papers else None

    def _ask(self, rule: str, function: str, **given: Any) -> str:
        """Ask the ledger for what the oracle allows, twice under one key, or refuses by a rule; return the id."""
        arguments = {"key": self._key(), **given}
        names = ", ".join(f"p_{name} => %s" for name in arguments)
        statement = f"select duly.{function}({names})"
        try:
            made = str(self.books.value(statement, *arguments.values()))
            if self.books.value(statement, *arguments.values()) != made:
                raise VouchersDifferError(f"{function} {given}: its key has made something else")
        except LedgerError as error:
            if error.rule != rule:
                raise VouchersDifferError(
                    f"{function} {given}: {error} where {rule or 'nothing'} was expected"
                ) from error
            return ""
        if rule:
            raise VouchersDifferError(f"{function} {given} went through where {rule} was expected")
        return made

    def _key(self) -> str:
        return f"{self.seed}/{self.steps}"


def change_ends(owner: Books, expression: str) -> None:
    """Change the last day of every batch, as if days had gone by."""
    owner.run("alter table duly.voucher_batches disable trigger append_only")
    owner.run(f"update duly.voucher_batches set expires_on = {expression}")
    owner.run("alter table duly.voucher_batches enable trigger append_only")


def hashed(code: str) -> str:
    """Return the hash of a code."""
    return sha256(code.encode()).hexdigest()
