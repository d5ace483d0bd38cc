"""Allocation: which credit settles which debit (F99 to F109). A pure statement of what the database's functions do.

Open items are settled first in, first out: the credit posted earliest against the debit due earliest, ties by order of
posting (Q13). A credit that addresses invoices goes to what is open of them first, and then takes the place of whoever
settled them before, who is allocated anew. Allocation never changes a balance, only what is unsettled.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from models.ledger.allocation import Principle
from models.ledger.transaction import Side


@dataclass(frozen=True)
class Item:
    """A posted document, open until it is settled. `sort_on` is a debit's due date, a credit's posting date.

    What settles a written-off invoice stays: a credit that addresses it takes only what is unsettled.
    """

    id: str
    side: Side
    sort_on: date
    version: int
    amount_minor: int
    may_be_addressed: bool = False
    is_written_off: bool = False


@dataclass(frozen=True)
class Allocation:
    """A part of a credit that settles a part of a debit. Amount in minor units, above 0."""

    credit_id: str
    debit_id: str
    amount_minor: int


@dataclass(frozen=True)
class Settlement:
    """The items of one account and what settles what."""

    items: tuple[Item, ...] = ()
    allocations: tuple[Allocation, ...] = ()

    def item(self, item_id: str) -> Item:
        """Return an item of the account by its id."""
        return next(item for item in self.items if item.id == item_id)

    def unsettled(self, item_id: str) -> int:
        """Return what is not allocated yet of an item, in minor units."""
        return self.item(item_id).amount_minor - sum(
            a.amount_minor for a in self.allocations if item_id in {a.credit_id, a.debit_id}
        )

    def open_items(self, side: Side) -> list[tuple[Item, int]]:
        """Return the open items of a side with their unsettled amounts, in FIFO order."""
        allocated: dict[str, int] = defaultdict(int)
        for allocation in self.allocations:
            allocated[allocation.credit_id] += allocation.amount_minor
            allocated[allocation.debit_id] += allocation.amount_minor
        found = [(item, item.amount_minor - allocated[item.id]) for item in self.items if item.side is side]
        return sorted((pair for pair in found if pair[1]), key=lambda pair: (pair[0].sort_on, pair[0].version))


def post(
    settlement: Settlement,
    new: Item,
    *,
    addressed: Iterable[str] = (),
    principle: Principle = Principle.AGAINST_ITEM_AND_FIFO,
) -> Settlement:
    """Add a posted document and allocate: to what it addresses, then first in, first out (F101 to F107)."""
    settlement = replace(settlement, items=(*settlement.items, new))
    if principle is Principle.AGAINST_ITEM_AND_FIFO:
        settlement = _allocate_addressed(settlement, new, set(addressed))
    return allocate_fifo(settlement)


def post_many(settlement: Settlement, new: Sequence[Item]) -> Settlement:
    """Add documents posted in one commit: all are there before the first is allocated."""
    return allocate_fifo(replace(settlement, items=(*settlement.items, *new)))


def counterbalance(settlement: Settlement, item_id: str, cancellation: Item) -> Settlement:
    """Cancel an item; it keeps the allocation to its cancellation; what it frees is allocated anew (F103, F105)."""
    items = tuple(replace(i, may_be_addressed=False) if i.id == item_id else i for i in settlement.items)
    settlement = Settlement((*items, cancellation), _without(settlement.allocations, item_id))
    settlement = _allocate(settlement, item_id, cancellation.id, cancellation.amount_minor)
    return allocate_fifo(settlement)


def write_off(settlement: Settlement, item_id: str, credit: Item) -> Settlement:
    """Settle what is left of an invoice with its write-off, which later credits do not displace (F81)."""
    items = tuple(replace(i, is_written_off=True) if i.id == item_id else i for i in settlement.items)
    return _allocate(Settlement((*items, credit), settlement.allocations), item_id, credit.id, credit.amount_minor)


def allocate_fifo(settlement: Settlement) -> Settlement:
    """Allocate open credits to open debits until one of the two runs out (F102)."""
    open_credits, open_debits = settlement.open_items(Side.CREDIT), settlement.open_items(Side.DEBIT)
    made: list[Allocation] = []
    while open_credits and open_debits:
        (credit, credit_open), (debit, debit_open) = open_credits[0], open_debits[0]
        amount = min(credit_open, debit_open)
        made.append(Allocation(credit.id, debit.id, amount))
        open_credits[:1] = [(credit, credit_open - amount)] if credit_open > amount else []
        open_debits[:1] = [(debit, debit_open - amount)] if debit_open > amount else []
    return replace(settlement, allocations=(*settlement.allocations, *made))


def _allocate_addressed(settlement: Settlement, credit: Item, addressed: set[str]) -> Settlement:
    """Pay what the credit addresses, earliest due first (F104), then take the place of others (F106).

    The manual de-allocates the credits of an invoice that is *settled*. Nothing is taken back of one that is not, and
    no more of one that is than the credit brings in its stead: nobody un-pays an invoice by paying it.
    """
    items = [item for item in settlement.items if item.id in addressed and item.may_be_addressed]
    items.sort(key=lambda item: (item.sort_on, item.version))
    settled = [item for item in items if settlement.unsettled(item.id) == 0 and not item.is_written_off]
    for item in items:
        settlement = _pay(settlement, credit, item, settlement.unsettled(item.id))
    for item in settled:
        amount = min(item.amount_minor, settlement.unsettled(credit.id))
        settlement = _pay(_make_room(settlement, item, amount), credit, item, amount)
    return settlement


def _pay(settlement: Settlement, credit: Item, invoice: Item, open_minor: int) -> Settlement:
    amount = min(open_minor, settlement.unsettled(credit.id))
    return _allocate(settlement, invoice.id, credit.id, amount)


def _make_room(settlement: Settlement, invoice: Item, amount_minor: int) -> Settlement:
    """Take an amount of a settled invoice back from those who settled it, the latest credit first."""
    held = [a for a in settlement.allocations if a.debit_id == invoice.id]
    order = {item.id: (item.sort_on, item.version) for item in settlement.items}
    for allocation in sorted(held, key=lambda a: order[a.credit_id], reverse=True):
        taken = min(amount_minor, allocation.amount_minor)
        amount_minor -= taken
        if taken:
            rest = replace(allocation, amount_minor=allocation.amount_minor - taken)
            others = tuple(a for a in settlement.allocations if a is not allocation)
            settlement = replace(settlement, allocations=(*others, rest) if rest.amount_minor else others)
    return settlement


def _allocate(settlement: Settlement, one_id: str, other_id: str, amount_minor: int) -> Settlement:
    if amount_minor == 0:
        return settlement
    is_credit = settlement.item(one_id).side is Side.CREDIT
    credit_id, debit_id = (one_id, other_id) if is_credit else (other_id, one_id)
    allocation = Allocation(credit_id, debit_id, amount_minor)
    return replace(settlement, allocations=(*settlement.allocations, allocation))


def _without(allocations: tuple[Allocation, ...], item_id: str) -> tuple[Allocation, ...]:
    return tuple(a for a in allocations if item_id not in {a.credit_id, a.debit_id})
