"""localstripe's own books, read from its lists over HTTP, against the ledger: object by object, and by currency."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from activities.database import Database
from bench.second_opinion.processes import API_KEY
from models.gateway.amounts import from_gateway
from sandbox.customers.merchant import PROVIDER
from sandbox.reconciliation import Booked, booked_movements, clearing_balances

PAGE = 100
READ_SECONDS = 60.0


@dataclass(frozen=True)
class Moved:
    """Money that moved: a charge, or a refund with a negative amount. In minor units."""

    reference: str
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class ForeignBooks:
    """What localstripe says: its charges and refunds, its balance by currency, and what moved more than once."""

    charges: tuple[Moved, ...]
    refunds: tuple[Moved, ...]
    balances: dict[str, int]
    doubled: int


@dataclass(frozen=True)
class Comparison:
    """Both sides counted, and every object and currency on which they differ."""

    charges_there: int
    charges_in_ledger: int
    refunds_there: int
    refunds_in_ledger: int
    doubled: int
    missing_there: int
    missing_in_ledger: int
    amounts_differing: int
    balances_differing: int

    @property
    def differences(self) -> int:
        """Everything that may not be."""
        return (
            self.doubled
            + self.missing_there
            + self.missing_in_ledger
            + self.amounts_differing
            + self.balances_differing
        )


async def read_books(url: str) -> ForeignBooks:
    """Read all that moved at localstripe. It is asked itself: the adapter has no part in this."""
    headers = {"Authorization": f"Bearer {API_KEY}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=READ_SECONDS, trust_env=False) as client:
        charges = [each for each in await _listed(client, "/v1/charges") if each["status"] == "succeeded"]
        refunds = await _listed(client, "/v1/refunds")
        intents = {each["id"]: each for each in await _listed(client, "/v1/payment_intents")}
        bookings = await _listed(client, "/v1/balance_transactions")
    return ForeignBooks(
        charges=tuple(_moved(each) for each in charges),
        refunds=tuple(_moved(each, sign=-1) for each in refunds),
        balances=_balances(bookings),
        doubled=_doubled_charges(charges, intents) + _doubled_refunds(refunds) + _refunded_beyond(charges),
    )


async def compare(there: ForeignBooks, database: Database) -> Comparison:
    """Read the ledger and hold it against localstripe's books."""
    return held_against(there, await booked_movements(database, PROVIDER), await clearing_balances(database, PROVIDER))


def held_against(there: ForeignBooks, booked: Iterable[Booked], balances: Mapping[str, int]) -> Comparison:
    """Compare what both sides say moved, and what they say is left."""
    in_ledger = [Moved(each.reference, each.amount_minor - each.fee_minor, each.currency) for each in booked]
    ours, theirs = Counter(in_ledger), Counter((*there.charges, *there.refunds))
    only_ours = {each.reference for each in ours - theirs}
    only_theirs = {each.reference for each in theirs - ours}
    return Comparison(
        charges_there=len(there.charges),
        charges_in_ledger=sum(each.amount_minor > 0 for each in in_ledger),
        refunds_there=len(there.refunds),
        refunds_in_ledger=sum(each.amount_minor < 0 for each in in_ledger),
        doubled=there.doubled,
        missing_there=len(only_ours - only_theirs),
        missing_in_ledger=len(only_theirs - only_ours),
        amounts_differing=len(only_ours & only_theirs),
        balances_differing=sum(
            balances.get(currency, 0) != there.balances.get(currency, 0)
            for currency in balances.keys() | there.balances.keys()
        ),
    )


async def _listed(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        cursor = {"starting_after": found[-1]["id"]} if found else {}
        answer = await client.get(path, params={"limit": str(PAGE), **cursor})
        page = answer.raise_for_status().json()
        found += page["data"]
        if not page["has_more"]:
            return found


def _moved(found: dict[str, Any], *, sign: int = 1) -> Moved:
    money = from_gateway(found["amount"], found["currency"])
    return Moved(found["id"], sign * money.amount_minor, money.currency)


def _balances(bookings: Iterable[dict[str, Any]]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for each in bookings:
        money = from_gateway(abs(each["net"]), each["currency"])
        found[money.currency] += money.amount_minor if each["net"] > 0 else -money.amount_minor
    return dict(found)


def _doubled_charges(charges: Sequence[dict[str, Any]], intents: Mapping[str, dict[str, Any]]) -> int:
    """Count the charges beyond the first for one attempt, or beyond the first that stands for one request."""
    requests: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for each in charges:
        metadata = intents[each["payment_intent"]]["metadata"]
        requests[metadata["duly_request"]].append((metadata["duly_attempt"], each["refunded"]))
    return sum(
        max(len(made) - len({attempt for attempt, _ in made}), sum(not is_refunded for _, is_refunded in made) - 1, 0)
        for made in requests.values()
    )


def _doubled_refunds(refunds: Sequence[dict[str, Any]]) -> int:
    """Count the refunds beyond the first for one request."""
    return len(refunds) - len({each["metadata"]["duly_request"] for each in refunds})


def _refunded_beyond(charges: Sequence[dict[str, Any]]) -> int:
    """Count charges of which more went back than came in: localstripe does not refuse it."""
    return sum(each["amount_refunded"] > each["amount"] for each in charges)
