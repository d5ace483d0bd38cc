"""Balance transactions at Stripe: those that are expected, and all that its books say, read raw a hundred at a time."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import stripe
import structlog

from activities.gateway.evidence.stripe_rows import FEE_REFUND, balance_movement, found_object, id_of, movements_of_fee
from activities.gateway.stripe_refunds import EXPAND_MOVEMENTS
from activities.gateway.translation import booked_movement, optional, translating_errors
from models.gateway.amounts import from_books
from models.gateway.movements import Movement, MovementKind
from models.reconciliation.gateway import BalanceMovement, FoundObject, FoundObjectPage, MovementPage
from models.reconciliation.movement_kinds import FEES_OF_CHARGES, EntryKind
from models.reconciliation.reconciliation import GatewayList, ListWindow

log = structlog.get_logger(__name__)

_INTENT = "pi_"


class StripeMovements:
    """What has moved on the balance."""

    _client: stripe.StripeClient

    async def movements(self, since: datetime, after: str = "") -> AsyncIterator[Movement]:
        """Every balance transaction since a moment, newest first; `after`: those behind that one."""
        asked: Any = {"created": {"gte": int(since.timestamp())}, "limit": 100}
        with translating_errors():
            page = await self._client.v1.balance_transactions.list_async(
                asked | ({"starting_after": after} if after else {})
            )
            async for booking in page.auto_paging_iter():
                if movement := booked_movement(booking):
                    yield movement

    async def find_movement(self, source: str, kind: MovementKind) -> Movement | None:
        """Retrieve the object with its balance transaction: what is listed late is known there."""
        with translating_errors():
            match kind:
                case MovementKind.CHARGE:
                    return booked_movement(optional(await self._charge(source), "balance_transaction"))
                case MovementKind.REFUND | MovementKind.REFUND_FAILURE:
                    refund = await self._client.v1.refunds.retrieve_async(source, {"expand": list(EXPAND_MOVEMENTS)})
                    name = EXPAND_MOVEMENTS[kind is MovementKind.REFUND_FAILURE]
                    return booked_movement(optional(refund, name))
                case MovementKind.DISPUTE | MovementKind.DISPUTE_REVERSAL:
                    dispute = await self._client.v1.disputes.retrieve_async(source)
                    moved = [booked_movement(each) for each in dispute.balance_transactions]
                    # What came before the newest is booked, or is read with the dispute.
                    of_kind = [each for each in moved if each and each.kind is kind]
                    return max(of_kind, key=lambda each: each.booked_at, default=None)
                case MovementKind.PAYOUT | MovementKind.OTHER:
                    return None

    async def _charge(self, source: str) -> stripe.Charge:
        """Retrieve a charge, also by its payment intent: not every answer names the charge."""
        if not source.startswith(_INTENT):
            return await self._client.v1.charges.retrieve_async(source, {"expand": ["balance_transaction"]})
        intent = await self._client.v1.payment_intents.retrieve_async(
            source, {"expand": ["latest_charge.balance_transaction"]}
        )
        assert isinstance(intent.latest_charge, stripe.Charge)  # noqa: S101  # a payment that succeeded has one
        return intent.latest_charge


PAGE = 100
# Fees of a platform's, and those that were given back: what they are of is at another account.
_FEE_IDS = ("fee_", FEE_REFUND)
# What was taken back of a transfer: its list names the reversal alone.
_REVERSAL = "trr_"
NOT_FOUND = 404

_ADDRESSES = {
    GatewayList.MOVEMENTS: "/v1/balance_transactions",
    GatewayList.REFUNDS: "/v1/refunds",
    GatewayList.DISPUTES: "/v1/disputes",
    GatewayList.PAYOUTS: "/v1/payouts",
}

# What can be read of an object by its id's beginning.
_READABLE = {
    "pi": "/v1/payment_intents/",
    "ch": "/v1/charges/",
    "py": "/v1/charges/",
    "re": "/v1/refunds/",
    "pyr": "/v1/refunds/",
    "dp": "/v1/disputes/",
    "du": "/v1/disputes/",
    "po": "/v1/payouts/",
}


class StripeBooks:
    """Reads what an account's books say. An answer of a page costs a parse of its JSON, and no object of the SDK."""

    _client: stripe.StripeClient
    account: str

    async def movement_page(self, window: ListWindow, *, after: str) -> MovementPage:
        """List a window's balance transactions behind an id, newest first."""
        with translating_errors():
            rows, cursor = await self._books_page(window, after)
            return MovementPage(tuple(balance_movement(row) for row in rows), cursor)

    async def object_page(self, window: ListWindow, *, after: str) -> FoundObjectPage:
        """List a window's refunds, disputes or payouts behind an id, newest first."""
        with translating_errors():
            rows, cursor = await self._books_page(window, after)
            return FoundObjectPage(tuple(found_object(row) for row in rows), cursor)

    async def payout_page(self, payout: str, *, after: str) -> MovementPage:
        """List the balance transactions of an automatic payout behind an id."""
        with translating_errors():
            cursor = {"starting_after": after} if after else {}
            answer = await self._read_listed(_ADDRESSES[GatewayList.MOVEMENTS], payout=payout, limit=PAGE, **cursor)
            rows = answer["data"]
            found = tuple(replace(balance_movement(row), payout=payout) for row in rows)
            return MovementPage(found, rows[-1]["id"] if rows and answer["has_more"] else "")

    async def movements_of(self, source: str, kind: EntryKind) -> tuple[BalanceMovement, ...]:
        """List the balance transactions of an object, or what a platform has taken of a charge and given back."""
        with translating_errors():
            if kind in FEES_OF_CHARGES and not self.account:
                return await self._fees_of(source.partition("/")[0])
            # On a merchant's account it is what came back by itself.
            named = source.rpartition("/")[2]
            answer = await self._read_listed(_ADDRESSES[GatewayList.MOVEMENTS], source=named, limit=PAGE)
            return tuple(balance_movement(row) for row in answer["data"])

    async def read_object(self, source: str) -> FoundObject | None:
        """Retrieve an object that moved money; None where there is none, or none of a kind that we read."""
        with translating_errors():
            row = await self._read_row(source)
            if row is not None and row.get("object") == "payment_intent":
                # What has moved is its charge.
                row = await self._read_row(id_of(row.get("latest_charge")))
            return found_object(row) if row is not None else None

    async def _read_row(self, id_: str) -> Mapping[str, Any] | None:
        address = _READABLE.get(id_.split("_", maxsplit=1)[0])
        if address is None:
            return None
        with translating_errors():
            try:
                answer = await self._client.raw_request_async("get", address + id_)
            except stripe.InvalidRequestError as error:
                if error.http_status == NOT_FOUND:
                    return None
                raise
        row: Mapping[str, Any] = answer.data
        return row

    async def balances(self) -> dict[str, int]:
        """Read the balance, available and pending together."""
        with translating_errors():
            answer = await self._read_raw("/v1/balance")
            lying: Counter[str] = Counter()
            for part in (*answer["available"], *answer["pending"]):
                lying[part["currency"]] += part["amount"]
            found = (from_books(code, amount) for code, amount in lying.items())
            return {currency: minor for currency, (minor,) in found}

    async def _books_page(self, window: ListWindow, after: str) -> tuple[list[Mapping[str, Any]], str]:
        asked: dict[str, Any] = {
            "limit": PAGE,
            "created": {"gte": int(window.read_from.timestamp()), "lt": int(window.read_until.timestamp())},
        }
        if after:
            asked["starting_after"] = after
        answer = await self._read_listed(_ADDRESSES[window.list], **asked)
        rows = answer["data"]
        return rows, rows[-1]["id"] if rows and answer["has_more"] else ""

    async def _fees_of(self, charge: str) -> tuple[BalanceMovement, ...]:
        expand = ["data.balance_transaction", "data.refunds.data.balance_transaction"]
        answer = await self._read_raw("/v1/application_fees", charge=charge, limit=PAGE, expand=expand)
        return tuple(moved for fee in answer["data"] for moved in movements_of_fee(fee))

    async def fee_movements(self, fee: str) -> tuple[BalanceMovement, ...]:
        """Read what an application fee has moved on a platform's balance, and what of it was given back."""
        with translating_errors():
            answer = await self._read_raw(
                f"/v1/application_fees/{fee}", expand=["balance_transaction", "refunds.data.balance_transaction"]
            )
            return movements_of_fee(answer)

    async def _read_listed(self, address: str, **asked: Any) -> Mapping[str, Any]:
        """Read a page of a list; of one that has fees of a platform's, with the charges that they were taken of."""
        answer = await self._read_raw(address, **asked)
        sources = [id_of(row.get("source")) for row in answer["data"]]
        if any(each.startswith(_FEE_IDS) for each in sources):
            return await self._read_raw(address, **asked, expand=["data.source.fee"])
        if any(each.startswith(_REVERSAL) for each in sources):
            return await self._read_raw(address, **asked, expand=["data.source"])
        return answer

    async def _read_raw(self, address: str, **asked: Any) -> Mapping[str, Any]:
        with translating_errors():
            answer = await self._client.raw_request_async("get", address, **asked)
        data: Mapping[str, Any] = answer.data
        return data
