"""Random stories of bank debits: the database and a plain Python oracle must agree after every action."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from activities.bank.debits.debit_files import DebitFiles
from activities.database import RuleBrokenError
from models.gateway.gateway_request import CollectOutcome
from tests.bank.debits.direct_debits import DirectDebits
from tests.support.attempts import broken_invariants

SUSPENSE = "suspense:acc_suspense_eur"


class DebitsDifferError(AssertionError):
    """The database and the oracle differ."""


@dataclass
class Owed:
    """A debit as the oracle keeps it; `is_brought`: its money is here though the bank has refused it."""

    account: str
    amount: int
    state: str = "pending"
    part: str = ""
    was_brought: bool = False
    is_brought: bool = False


@dataclass
class DebitHistory:
    """Debits of some accounts; each step is an action of the database and of the oracle."""

    debits: DirectDebits
    seed: int
    known: dict[str, Owed] = field(default_factory=dict)
    owes: dict[str, int] = field(default_factory=dict)
    asked: dict[str, tuple[str, int]] = field(default_factory=dict)
    lines: list[tuple[dict[str, Any], bool]] = field(default_factory=list)
    fees: int = 0
    steps: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    async def open(self, *accounts: str) -> None:
        for account in accounts:
            self.owes[await self.debits.payer(account)] = 2500

    async def step(self) -> None:
        """Do one thing, and compare."""
        self.steps += 1
        does = (self.ask, self.ask, self.export, self.refuse, self.bring, self.bring_file, self.take_back, self.repeat)
        await self.random.choice(does)()
        await self.compare()

    async def ask(self) -> None:
        account = self.random.choice(list(self.owes))
        last = next((one for one in reversed(self.known.values()) if one.account == account), None)
        period, attempt = self.asked.get(account, ("", 0))
        if last is not None and last.state == "rejected":
            attempt += 1
        else:
            amount = self.random.choice((1, 999, 2500))
            await self.debits.merchant.invoice(account, amount)
            self.owes[account] += amount
            period, attempt = f"{2026 + self.steps // 12}-{self.steps % 12 + 1:02}", 1
        result = await self.debits.collect(account, attempt, period=period)
        if result.outcome is CollectOutcome.PROCESSING and result.gateway_reference not in self.known:
            self.asked[account] = (period, attempt)
            self.known[result.gateway_reference] = Owed(account, result.amount_minor)

    async def export(self) -> None:
        batch = await DebitFiles(self.debits.database).batch("sepa", actor="ann", reason="due")
        filed = await self.debits.merchant.run(
            "select id, payment_information from duly.debits where batch_id = :batch", batch=batch
        )
        pending = {id for id, one in self.known.items() if one.state == "pending"}
        if {row.id for row in filed} != pending:
            raise DebitsDifferError(f"{filed} is filed where {pending} wait")
        for row in filed:
            self.known[row.id].state, self.known[row.id].part = "exported", row.payment_information

    async def refuse(self) -> None:
        if not self.known:
            return
        id = self.random.choice(list(self.known))
        one = self.known[id]
        rule = "debit_waits" if one.state in ("collected", "returned") else ""
        await self._ask(rule, "refuse_debit", id=id, code="AM04", suspends=False)
        if not rule:
            one.state = "rejected"

    async def bring(self) -> None:
        """A line that names one debit."""
        if not self.known:
            return
        id = self.random.choice(list(self.known))
        one = self.known[id]
        is_taken = one.state == "exported" or (one.state == "rejected" and one.part and not one.was_brought)
        await self._line(one.amount, [id], [], {id} if is_taken else set())

    async def bring_file(self) -> None:
        """A line for a part of a file: what is not refused of it, all of it, or something else."""
        parts = sorted({one.part for one in self.known.values() if one.part})
        if not parts:
            return
        part = self.random.choice(parts)
        waiting = {id for id, one in self.known.items() if one.part == part and one.state == "exported"}
        refused = {
            id for id, one in self.known.items() if one.part == part and one.state == "rejected" and not one.was_brought
        }
        meant = self.random.choice((waiting, waiting | refused))
        amount = self._sum(meant) + self.random.choice((0, 0, 0, 1))
        taken = next((some for some in (waiting, waiting | refused) if some and self._sum(some) == amount), set())
        if amount:
            await self._line(amount, [], [part], taken)

    async def take_back(self) -> None:
        if not self.known:
            return
        id = self.random.choice(list(self.known))
        one = self.known[id]
        charges = self.random.choice((0, 350))
        is_taken = one.state == "collected" or one.is_brought
        await self._line(-one.amount - charges, [id], [], {id} if is_taken else set())
        if is_taken:
            self.fees += charges

    async def repeat(self) -> None:
        """A line that comes twice changes nothing."""
        if self.lines:
            line, is_taken = self.random.choice(self.lines)
            again = await self.debits.database.call("receive_debits", **line) if is_taken else {"is_known": True}
            if not again or not again["is_known"]:
                raise DebitsDifferError(f"{line} was taken twice")

    async def compare(self) -> None:
        """Raise a DebitsDifferError unless states, debts and the ledger are the same."""
        rows = await self.debits.merchant.run("select id, state from duly.debits")
        names = ("bank", "gateway_clearing:sepa", "gateway_fees:sepa", SUSPENSE)
        theirs = (
            {row.id: row.state for row in rows},
            {account: await self.debits.merchant.balance(account) for account in self.owes},
            [await self.debits.ledger(name) for name in names],
        )
        paid = self._sum({id for id, one in self.known.items() if one.state == "collected"})
        aside = self._sum({id for id, one in self.known.items() if one.is_brought})
        ours = (
            {id: one.state for id, one in self.known.items()},
            {
                account: invoiced
                - sum(one.amount for one in self.known.values() if one.account == account and one.state == "collected")
                for account, invoiced in self.owes.items()
            },
            [paid + aside - self.fees, 0, self.fees, -aside],
        )
        if theirs != ours:
            raise DebitsDifferError(f"{theirs} where {ours} was expected")

    async def finish(self) -> None:
        """Raise a DebitsDifferError if an invariant is broken."""
        if broken := await broken_invariants(self.debits.merchant):
            raise DebitsDifferError(f"{broken}")

    async def _line(self, amount: int, named: list[str], batches: list[str], taken: set[str]) -> None:
        """Import a line, and do to the oracle what it does where these are taken."""
        is_named_return = amount < 0 and bool(named)
        line = {
            "key": f"{self.seed}/{self.steps}",
            "currency": "EUR",
            "amount_minor": amount,
            "booked_on": "2026-05-20",
            "named": named,
            "batches": batches,
            "code": "MS03",
            "suspends": False,
        }
        rule = "debit_was_collected" if is_named_return and not taken else ""
        answer = await self._ask(rule, "receive_debits", **line)
        if bool(answer) != bool(taken):
            raise DebitsDifferError(f"{line} became {answer}, where {taken} was expected")
        self.lines.append((line, bool(taken)))
        for one in (self.known[id] for id in taken):
            if amount < 0:
                one.state, one.is_brought = ("returned" if one.state == "collected" else one.state), False
            elif one.state == "rejected":
                one.was_brought = one.is_brought = True
            else:
                one.state = "collected"

    def _sum(self, ids: set[str]) -> int:
        return sum(self.known[id].amount for id in ids)

    async def _ask(self, rule: str, function: str, **given: Any) -> Any:
        try:
            answer = await self.debits.database.call(function, **given)
        except RuleBrokenError as error:
            if error.type != rule:
                raise
            return None
        if rule:
            raise DebitsDifferError(f"{function} of {given} was not refused by {rule}")
        return answer
