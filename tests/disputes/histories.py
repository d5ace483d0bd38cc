"""Random histories of one payment: what banks take and give back of it, and refunds that go through or fail."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

PAID_MINOR = 2500
# What may not be asked for now is no part of the history.
_REFUSALS = ("payment_not_disputed", "no_refund_in_flight", "cancelled_once")
_RECORD_DISPUTE = (
    "select duly.record_dispute(:id, 'stripe', :payment, :status, :state, :amount, 'EUR', 'fraudulent',"
    " now() + interval '7 days', false, :withdrawn, :reinstated, 0, cast(:movements as jsonb))"
)
_OPEN_REFUND = (
    "select duly.open_refund(p_request_id => :id, p_kind => :kind, p_payment_id => :payment, p_amount_minor => :amount,"
    " p_attempt => 1, p_actor => 'maria', p_reason => 'as agreed', p_origin => 'user', p_is_acknowledged => true,"
    " p_provider_id => 'stripe')"
)
_RECORD_REFUND = "select duly.record_refund(:id, 1, :outcome, :is_booked, :reference, :code)"
_LEFT = "select (duly.payment_left(duly.payment_request_of(:payment))).left_minor"
_BALANCES = (
    "select ledger_account, sum(debit_minor - credit_minor)::bigint from duly.trial_balance()"
    " where currency = :currency group by 1"
)


@dataclass
class Disputed:
    """A dispute as the gateway has it. `shown`: so many of its movements Duly has been given to read."""

    id: str
    amount_minor: int
    state: str = "open"
    movements: list[dict[str, Any]] = field(default_factory=list)
    shown: int = 0

    @property
    def withdrawn_minor(self) -> int:
        """What stands withdrawn, in the currency of the payment."""
        return -sum(int(each["own_minor"]) for each in self.movements)

    @property
    def settled_minor(self) -> int:
        """What the gateway's balance has changed by, in its own currency."""
        return sum(int(each["amount_minor"]) - int(each["fee_minor"]) for each in self.movements)

    def move(self, amount_minor: int, *, fee_minor: int = 0, rate: float = 0.0) -> None:
        """Let the bank take money, or give it back; with a rate in dollars."""
        moved = {
            "reference": f"txn_{self.id}_{len(self.movements)}",
            "own_minor": amount_minor,
            "amount_minor": round(amount_minor * rate) if rate else amount_minor,
            "fee_minor": fee_minor,
            "currency": "USD" if rate else "EUR",
        }
        self.movements.append(moved)

    def shown_sums(self) -> tuple[int, int]:
        """What was taken and given back as far as it is shown; in another currency that is all of it or nothing."""
        shown = self.movements[: self.shown]
        if any(each["currency"] != "EUR" for each in shown):
            taken, given_back = ([each for each in shown if (each["amount_minor"] < 0) is way] for way in (True, False))
            return self.amount_minor * bool(taken), self.amount_minor * bool(given_back)
        amounts = [int(each["amount_minor"]) for each in shown]
        return -sum(each for each in amounts if each < 0), sum(each for each in amounts if each > 0)


@dataclass
class Refunded:
    """A refund or cancellation. `failed`: its money came back, or never went."""

    id: str
    amount_minor: int
    state: str = "open"


@dataclass
class History:
    """One payment of 25.00 EUR and what happens to it, drawn from a seed; `log` says what happened."""

    connection: AsyncConnection
    payment: str
    reference: str
    chance: random.Random
    is_in_dollars: bool = False
    refunds: list[Refunded] = field(default_factory=list)
    disputes: list[Disputed] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    async def play(self, steps: int) -> None:
        """Let so much happen, then let the gateway show all that it has and every bank decide."""
        happens = (
            self.refund, self.cancel, self.fail_refund, self.dispute, self.dispute, self.decide, self.decide,
            self.give_back, self.take_again, self.turn, self.show,
        )  # fmt: skip
        for _ in range(steps):
            await self.chance.choice(happens)()
            if self.disputes and self.chance.random() < 0.3:
                await self.read(self.chance.choice(self.disputes))
        await self.end()

    async def refund(self) -> None:
        """Ask for a part of what is left."""
        if left := await self.left():
            await self._give_back("refund", self.chance.randint(1, left))

    async def cancel(self) -> None:
        """Ask for all that is left."""
        if left := await self.left():
            await self._give_back("payment_cancellation", left)

    async def fail_refund(self) -> None:
        """The bank sends a refund back, or refuses it."""
        if alive := [each for each in self.refunds if each.state != "failed"]:
            refund = self.chance.choice(alive)
            refund.state = "failed"
            await self._answer(refund, "declined")

    async def dispute(self) -> None:
        """A cardholder disputes a part of the payment, or all of it, whatever was refunded or is disputed already."""
        dispute = Disputed(f"dp_{len(self.disputes) + 1}", self.chance.randint(1, PAID_MINOR))
        self.disputes.append(dispute)
        self._move(dispute, -dispute.amount_minor, self.chance.choice((0, 15)))
        await self._read_soon(dispute)

    async def decide(self) -> None:
        """A bank decides: for us, for the cardholder, or for the cardholder but for a part."""
        if dispute := self._one_in("open"):
            dispute.state = self.chance.choice(("won", "lost", "lost"))
            if dispute.state == "won":
                self._move(dispute, dispute.withdrawn_minor)
            elif self.chance.random() < 0.4:
                self._move(dispute, self.chance.randint(1, dispute.amount_minor))
            await self._read_soon(dispute)

    async def give_back(self) -> None:
        """Of a dispute that was lost a part comes back, whatever came back before."""
        dispute = self._one_in("lost")
        if dispute and dispute.withdrawn_minor > 0:
            self._move(dispute, self.chance.randint(1, dispute.withdrawn_minor))
            await self._read_soon(dispute)

    async def take_again(self) -> None:
        """What came back was an error: the bank takes a part of it again."""
        dispute = self._one_in("lost")
        if dispute and dispute.withdrawn_minor < dispute.amount_minor:
            again = self.chance.randint(1, dispute.amount_minor - dispute.withdrawn_minor)
            self._move(dispute, -again, self.chance.choice((0, -15)))
            await self._read_soon(dispute)

    async def turn(self) -> None:
        """A bank changes its mind: what was lost is won and comes back, or what was won is lost and goes again."""
        dispute = self._one_in("won", "lost")
        if dispute is None:
            return
        dispute.state = "lost" if dispute.state == "won" else "won"
        owing = dispute.withdrawn_minor - (dispute.amount_minor if dispute.state == "lost" else 0)
        if owing:
            self._move(dispute, owing)
        await self._read_soon(dispute)

    async def show(self) -> None:
        """Read a dispute with all that its bank has moved."""
        if self.disputes:
            dispute = self.chance.choice(self.disputes)
            dispute.shown = len(dispute.movements)
            await self.read(dispute)

    async def end(self) -> None:
        """Every bank has decided, every refund is through, and Duly has read it all."""
        for dispute in self.disputes:
            if dispute.state == "open":
                dispute.state = "lost"
            dispute.shown = len(dispute.movements)
            await self.read(dispute)
        for refund in self.refunds:
            if refund.state == "open":
                refund.state = "through"
                await self._answer(refund, "succeeded")

    async def read(self, dispute: Disputed) -> None:
        """Record a dispute as the gateway shows it now."""
        shown = dispute.movements[: dispute.shown]
        amounts = [each["amount_minor"] for each in shown]
        withdrawn, reinstated = dispute.shown_sums()
        self.log.append(f"{dispute.id} of {dispute.amount_minor} is {dispute.state}, moved {amounts}")
        await self._call(
            _RECORD_DISPUTE, id=dispute.id, payment=self.reference, status=dispute.state, state=dispute.state,
            amount=dispute.amount_minor, withdrawn=withdrawn, reinstated=reinstated,
            movements=json.dumps({"movements": shown}),
        )  # fmt: skip

    async def left(self) -> int:
        """What may be refunded now."""
        return int(await self._call(_LEFT, payment=self.payment))

    async def balances(self, currency: str = "EUR") -> dict[str, int]:
        """The ledger accounts' balances in a currency, without those that are empty."""
        rows = await self.connection.execute(text(_BALANCES), {"currency": currency})
        return {account: int(minor) for account, minor in rows if minor}

    @property
    def refunded_minor(self) -> int:
        """What has gone back to the customer by refunds."""
        return sum(each.amount_minor for each in self.refunds if each.state != "failed")

    @property
    def withdrawn_minor(self) -> int:
        """What banks have taken and not given back."""
        return sum(each.withdrawn_minor for each in self.disputes)

    @property
    def fees_minor(self) -> int:
        """What the gateway keeps of disputes."""
        return sum(each["fee_minor"] for dispute in self.disputes for each in dispute.movements)

    async def _give_back(self, kind: str, amount_minor: int) -> None:
        refund = Refunded(f"rf_{len(self.refunds) + 1}_{len(self.log)}", amount_minor)
        asked = 0 if kind == "payment_cancellation" else amount_minor
        try:
            await self._call(_OPEN_REFUND, id=refund.id, kind=kind, payment=self.payment, amount=asked)
        except DBAPIError as error:
            if any(rule in str(error) for rule in _REFUSALS):
                return
            raise
        self.refunds.append(refund)
        self.log.append(f"{kind} {refund.id} of {amount_minor}")
        if self.chance.random() < 0.75:
            refund.state = "through"
            await self._answer(refund, "succeeded")

    async def _answer(self, refund: Refunded, outcome: str) -> None:
        self.log.append(f"{refund.id} {outcome}")
        is_booked = outcome == "succeeded"
        code = "" if is_booked else "lost_or_stolen_card"
        await self._call(
            _RECORD_REFUND, id=refund.id, outcome=outcome, is_booked=is_booked, reference=f"re_{refund.id}", code=code
        )

    async def _read_soon(self, dispute: Disputed) -> None:
        """Read it now, with all of its movements or with those that were shown before: they may come late."""
        if self.chance.random() < 0.7:
            dispute.shown = len(dispute.movements)
        await self.read(dispute)

    def _move(self, dispute: Disputed, amount_minor: int, fee_minor: int = 0) -> None:
        # The rate of another day each time.
        rate = self.chance.uniform(1.09, 1.11) if self.is_in_dollars else 0.0
        dispute.move(amount_minor, fee_minor=fee_minor, rate=rate)

    def _one_in(self, *states: str) -> Disputed | None:
        found: Sequence[Disputed] = [each for each in self.disputes if each.state in states]
        return self.chance.choice(found) if found else None

    async def _call(self, statement: str, **values: object) -> Any:
        async with self.connection.begin_nested():
            return (await self.connection.execute(text(statement), values)).scalar()
