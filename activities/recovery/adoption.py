"""Reads what the gateway did while the database does not remember, and writes it down again."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from activities.collections.attempt import charge_attempt, charge_outcome
from activities.database import Database, RuleBrokenError
from activities.refunds.attempt import refund_outcome, stored_refund
from models.gateway.errors import GatewayAccessError, GatewayInvalidRequestError, GatewayUnansweredError
from models.merchants.account import MadeAccount
from models.recovery.recovery import READ_BEFORE, MadeKind, MadeObject, RecoveryGateway
from models.tables.accounts import AccountRow
from models.tables.operations import RecoveryLeftRow

# Keys that are looked up at once, and accounts whose objects are written down at once: within the gateway's limit.
_PAGE = 500
CONCURRENT = 8

# What is left of a merchant: its account at the gateway. And of banks: files that they have, of debits and of refunds.
MERCHANT, BANK_FILES, REFUND_FILES = "merchant", "bank_files", "refund_files"


@dataclass
class Reading:
    """What one reading found: objects by kind, what was written down or closed, and what is left for a person."""

    found: Counter[str] = field(default_factory=Counter)
    adopted: int = 0
    left: list[dict[str, Any]] = field(default_factory=list)

    def leave(self, made: MadeObject, why: str) -> None:
        """Leave an object to a person."""
        amount = {"amount_minor": made.amount_minor, "currency": made.currency}
        named = {"object": made.reference, "kind": made.kind, "account": made.account_id, "why": why}
        self.left.append({**named, **amount})

    def leave_merchant(self, made: MadeAccount) -> None:
        """Leave a merchant's account to a person: it belongs to no account of the ledger, and has no amount."""
        why = f"merchant_not_connected: `merchants connect {made.merchant_id}` finds it again"
        named = {"object": made.gateway_account, "kind": MERCHANT, "account": "", "why": why}
        self.left.append({**named, "amount_minor": 0, "currency": made.currency})

    def leave_files(self, epoch: int, since: str) -> None:
        """Leave the files that the bank got since a moment: it lists none."""
        why = f"files_are_known: those of {since[:16]} or later; `debits adopt` each, then settle this"
        named = {"object": f"debit-files/{epoch}", "kind": BANK_FILES, "account": "", "why": why}
        self.left.append({**named, "amount_minor": 0, "currency": "EUR"})

    def as_json(self, read_at: str) -> dict[str, Any]:
        """Return it as it is kept."""
        return {"read_at": read_at, "found": dict(self.found), "adopted": self.adopted, "left": self.left}


class Adoption:
    """One reading of a provider: repeating it changes nothing that is known by then."""

    def __init__(self, database: Database, provider: str, gateway: RecoveryGateway) -> None:
        self._database = database
        self._provider = provider
        self._gateway = gateway

    async def read(self) -> Mapping[str, Any]:
        """Read from two days before what was forgotten, write it down, and return where the recovery stands.

        Raises GatewayError, DatabaseUnavailableError, and RuleBrokenError when it is too early or nothing was declared.
        """
        view = await self._database.call("recovery_view", provider_id=self._provider)
        require_silence(view)
        since = datetime.fromisoformat(view["forgot_since"]) - READ_BEFORE
        reading = Reading()
        await self._adopt_customers(since, view["installation"])
        made = [one async for one in self._gateway.made_since(since, view["installation"])]
        reading.found.update(one.kind for one in made)
        unknown = await _with(made, self._keys_to_adopt)
        missing = {one.reference for one in await _with(unknown, self._keys_without_row)}
        slots = asyncio.Semaphore(CONCURRENT)
        for kind in MadeKind:
            accounts: dict[str, list[MadeObject]] = defaultdict(list)
            for one in sorted((one for one in unknown if one.kind is kind), key=lambda one: (one.period, one.number)):
                accounts[one.account_id].append(one)
            # Payments before refunds; the attempts at a receivable in their order.
            await asyncio.gather(
                *(self._adopt_all(mine, reading, view["forgot_since"], missing, slots) for mine in accounts.values())
            )
        await self._leave_merchants(since, view["installation"], reading)
        return await self._database.call(  # type: ignore[no-any-return]  # the view that it returns
            "record_recovery_read", provider_id=self._provider, read=reading.as_json(view["now"])
        )

    async def read_nothing(self) -> Mapping[str, Any]:
        """Record the reading of a provider on whose account nothing can have been made, for there is none.

        Raises DatabaseUnavailableError, and RuleBrokenError as `read` does.
        """
        view = await self._database.call("recovery_view", provider_id=self._provider)
        require_silence(view)
        return await self._database.call(  # type: ignore[no-any-return]  # the view that it returns
            "record_recovery_read", provider_id=self._provider, read=Reading().as_json(view["now"])
        )

    async def adopt_left(self, actor: str) -> list[str]:
        """Write down what was left before, where that is possible by now; return the objects that it was for."""
        left = select(RecoveryLeftRow.object, RecoveryLeftRow.kind, RecoveryLeftRow.noted_at)
        rows = await self._database.read(
            left.where(RecoveryLeftRow.provider_id == self._provider, RecoveryLeftRow.settled_at.is_(None)).order_by(
                RecoveryLeftRow.kind, RecoveryLeftRow.object
            )
        )
        adopted = []
        for row in rows:
            if await self._is_adopted(row.kind, row.object, row.noted_at):
                await self._database.call(
                    "settle_recovery_left",
                    provider_id=self._provider,
                    object=row.object,
                    actor=actor,
                    reason="written down",
                )
                adopted.append(row.object)
        return adopted

    async def _is_adopted(self, kind: str, object_id: str, noted_at: str) -> bool:
        if kind in {BANK_FILES, REFUND_FILES}:
            # A person says when no other file is missing.
            return False
        if kind == MERCHANT:
            return not await self._database.call("merchant_accounts_unknown", gateway_accounts=[object_id])
        reading = Reading()
        made = await self._gateway.made_object(MadeKind(kind), object_id)
        await self._adopt(made, reading, noted_at, is_missing=True)
        return reading.adopted > 0

    async def _leave_merchants(self, since: datetime, installation: str, reading: Reading) -> None:
        """Leave accounts of merchants whose connection was forgotten: whether they go on is a person's decision."""
        try:
            made = await self._gateway.accounts_made(installation, since)
        except (GatewayInvalidRequestError, GatewayAccessError):
            # A merchant's own account, one without Connect, or a key that may not see any: it has made none.
            return
        ids = [one.gateway_account for one in made]
        unknown = await self._database.call("merchant_accounts_unknown", gateway_accounts=ids)
        reading.found.update(MERCHANT for _ in made)
        for one in made:
            if one.gateway_account in unknown:
                reading.leave_merchant(one)

    async def _adopt_customers(self, since: datetime, installation: str) -> None:
        """Keep the customers of accounts that have none: whatever was paid is listed with its customer."""
        for made in await self._gateway.customers_since(since, installation):
            if await self._database.read(select(AccountRow.id).where(AccountRow.id == made.account_id)):
                await self._database.call(
                    "note_customer", provider_id=self._provider, account_id=made.account_id, customer=made.reference
                )

    async def _keys_to_adopt(self, keys: list[str]) -> list[str]:
        return list(await self._database.call("keys_to_adopt", keys=keys))

    async def _keys_without_row(self, keys: list[str]) -> list[str]:
        return list(await self._database.call("keys_without_row", keys=keys))

    async def _adopt_all(
        self, objects: Iterable[MadeObject], reading: Reading, since: str, missing: set[str], slots: asyncio.Semaphore
    ) -> None:
        async with slots:
            for one in objects:
                await self._adopt(one, reading, since, is_missing=one.reference in missing)

    async def _adopt(self, made: MadeObject, reading: Reading, since: str, *, is_missing: bool) -> None:
        try:
            match made.kind:
                case MadeKind.PAYMENT:
                    why = await self._adopt_payment(made) if made.period else "not_a_payment_of_a_period"
                case MadeKind.REFUND:
                    why = await self._recover_refund(made)
                case _:
                    if not made.is_open:
                        return
                    await self._gateway.close_unknown_page(made.reference)
                    why = ""
        except (RuleBrokenError, GatewayInvalidRequestError, GatewayUnansweredError) as error:
            why = str(error)
        if why:
            reading.leave(made, why)
            return
        # What has a row already was only looked at again: its outcome may stay uncertain for days.
        if not is_missing:
            return
        reading.adopted += 1
        await self._database.call("withhold_recovered", account_id=made.account_id, since=since)

    async def _adopt_payment(self, made: MadeObject) -> str:
        row = await self._database.call(
            "recover_attempt",
            provider_id=self._provider,
            account_id=made.account_id,
            period=made.period,
            key=made.key,
            number=made.number,
            customer=made.customer,
            token=made.token,
            amount_minor=made.amount_minor,
            currency=made.currency,
            invoice_numbers=list(made.invoices),
            application_fee_minor=made.application_fee_minor if made.kind is MadeKind.PAYMENT else None,
            destination=made.destination,
        )
        if why := row.get("left"):
            return str(why)
        attempt = charge_attempt(row["attempt"])
        charge = replace(attempt.charge, is_key_used=True)
        found = await self._gateway.find_charge(charge, gateway_reference=made.reference)
        await self._database.call(
            "record_outcome",
            request_id=attempt.stored.request_id,
            attempt=attempt.stored.number,
            **charge_outcome(found),
        )
        return ""

    async def _recover_refund(self, made: MadeObject) -> str:
        row = await self._database.call(
            "recover_refund",
            provider_id=self._provider,
            refund_id=made.request_id,
            kind=made.purpose,
            payment_reference=made.payment_reference,
            amount_minor=made.amount_minor,
            key=made.key,
        )
        if why := row.get("left"):
            return str(why)
        refund = stored_refund(row["refund"])
        found = await self._gateway.find_refund(refund.call, gateway_reference=made.reference)
        await self._database.call(
            "record_refund",
            request_id=refund.attempt.request_id,
            attempt=refund.attempt.number,
            **{"is_booked": False, "gateway_reference": "", "code": "", **refund_outcome(found)},
        )
        return ""


async def _with(made: list[MadeObject], unknown_of: Callable[[list[str]], Awaitable[list[str]]]) -> list[MadeObject]:
    """Return those of whose keys the database says so."""
    unknown: set[str] = set()
    keys = [one.key for one in made]
    for start in range(0, len(keys), _PAGE):
        unknown.update(await unknown_of(keys[start : start + _PAGE]))
    return [one for one in made if one.key in unknown]


async def read_files(database: Database, provider: str) -> Mapping[str, Any]:
    """Record the reading of a provider of bank debits: files that the bank may have are left to a person.

    Raises DatabaseUnavailableError, and RuleBrokenError when it is too early or nothing was declared.
    """
    view = await database.call("recovery_view", provider_id=provider)
    require_silence(view)
    reading = Reading()
    reading.leave_files(view["epoch"], view["forgot_since"])
    return await database.call(  # type: ignore[no-any-return]  # the view that it returns
        "record_recovery_read", provider_id=provider, read=reading.as_json(view["now"])
    )


def require_silence(view: Mapping[str, Any]) -> None:
    """Make sure that whatever was under way is over. Raises RuleBrokenError."""
    if view["state"] != "recovering":
        raise RuleBrokenError("restore_is_declared", f"provider: no restore of {view['provider']} is declared")
    if datetime.fromisoformat(view["now"]) < datetime.fromisoformat(view["quiet_at"]):
        raise RuleBrokenError("requests_are_over", f"read: what was under way may arrive until {view['quiet_at']}")
