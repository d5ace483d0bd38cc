"""Reads what the gateway did while the database does not remember, and writes it down again."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from activities.collections.attempt import charge_attempt, charge_outcome
from activities.database import Database, RuleBrokenError
from activities.refunds.attempt import refund_outcome, stored_refund
from models.gateway.errors import GatewayInvalidRequestError, GatewayUnansweredError
from models.recovery.recovery import READ_BEFORE, MadeKind, MadeObject, RecoveryGateway

# Keys that are looked up at once.
_PAGE = 500


@dataclass
class Reading:
    """What one reading found: objects by kind, what was written down or closed, and what is left for a person."""

    found: Counter[str] = field(default_factory=Counter)
    adopted: int = 0
    left: list[dict[str, Any]] = field(default_factory=list)

    def leave(self, made: MadeObject, why: str) -> None:
        """Leave an object to a person."""
        amount = {"amount_minor": made.amount_minor, "currency": made.currency}
        self.left.append({"object": made.reference, "account": made.account_id, "why": why, **amount})

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
        made = [one async for one in self._gateway.made_since(since, view["installation"])]
        reading.found.update(one.kind for one in made)
        unknown = await _with(made, self._keys_to_adopt)
        missing = {one.reference for one in await _with(unknown, self._keys_without_row)}
        # Payments before refunds, and the attempts at a receivable in their order.
        for one in sorted(
            unknown, key=lambda one: (list(MadeKind).index(one.kind), one.account_id, one.period, one.number)
        ):
            await self._adopt(one, reading, view["forgot_since"], is_missing=one.reference in missing)
        return await self._database.call(  # type: ignore[no-any-return]  # the view that it returns
            "record_recovery_read", provider_id=self._provider, read=reading.as_json(view["now"])
        )

    async def _keys_to_adopt(self, keys: list[str]) -> list[str]:
        return list(await self._database.call("keys_to_adopt", keys=keys))

    async def _keys_without_row(self, keys: list[str]) -> list[str]:
        return list(await self._database.call("keys_without_row", keys=keys))

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


def require_silence(view: Mapping[str, Any]) -> None:
    """Make sure that whatever was under way is over. Raises RuleBrokenError."""
    if view["state"] != "recovering":
        raise RuleBrokenError("restore_is_declared", f"provider: no restore of {view['provider']} is declared")
    if datetime.fromisoformat(view["now"]) < datetime.fromisoformat(view["quiet_at"]):
        raise RuleBrokenError("requests_are_over", f"read: what was under way may arrive until {view['quiet_at']}")
