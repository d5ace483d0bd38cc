"""Auditing the ledger on a schedule: its transfers summed and sealed, its invariants checked, operators notified."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from temporalio import activity

from activities.database import Database
from activities.ledger.invariants import AUDIT_SECONDS, VIOLATIONS_MAX, check_rules
from models.ledger.audit import RollUp, Violation
from models.tables.ledger import LedgerRollUpRow

WALLETS_A_PAGE = 100
VOUCHER_BATCHES_A_PAGE = 100
_EXPIRE = "select last_account, expired from duly.expire_wallets(:after, :wallets)"
_EXPIRE_VOUCHERS = "select last_batch, expired from duly.expire_vouchers(:after, :batches)"


class LedgerAuditActivities:
    """Activities of the ledger's audit. Each is safe to repeat."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Callable[..., Any]]:
        """Return every activity, for a worker."""
        return [self.seal_ledger, self.find_violations, self.alert_of_violations]

    @activity.defn
    async def seal_ledger(self) -> RollUp:
        """Book what has expired of wallets and vouchers, sum and seal what is not yet, and return the last roll-up."""
        await expire_wallets(self._database)
        await expire_vouchers(self._database)
        await self._database.call("mark_roll_up", timeout_seconds=60.0)
        filled = await self._database.call("fill_roll_ups", timeout_seconds=AUDIT_SECONDS)
        row = LedgerRollUpRow
        last = await self._database.read_first(
            select(row.upto_transfer_id, row.seal).where(row.seal.is_not(None)).order_by(row.id.desc()).limit(1)
        )
        return RollUp(filled, last.upto_transfer_id, last.seal.hex()) if last else RollUp(filled)

    @activity.defn
    async def find_violations(self) -> list[Violation]:
        """Return the first of what breaks an invariant; a retry goes on after the last rule that was checked."""
        before, found = checked_before(activity.info().heartbeat_details)
        async for checked, broken in check_rules(self._database, after=before):
            found = [*found, *broken][:VIOLATIONS_MAX]
            activity.heartbeat(checked, [[one.rule, one.offender] for one in found])
        return found

    @activity.defn
    async def alert_of_violations(self, occasion: str, violations: Sequence[Violation]) -> None:
        """Write the alert of an audit, once for each occasion."""
        rules: dict[str, list[str]] = {}
        for one in violations:
            rules.setdefault(one.rule, []).append(one.offender)
        await self._database.call(
            "alert_of_violations",
            occasion=occasion,
            violations={
                "count": len(violations),
                "kinds": [
                    {"kind": rule, "state": "broken", "count": len(found), "objects": found[:10]}
                    for rule, found in rules.items()
                ],
            },
        )


async def expire_wallets(database: Database) -> int:
    """Book the credits whose last day is over, a page of wallets in one commit; return how many there were."""
    expired, after = 0, ""
    while True:
        row = (await database.rows(_EXPIRE, after=after, wallets=WALLETS_A_PAGE))[0]
        if row.last_account is None:
            return expired
        expired, after = expired + row.expired, row.last_account


async def expire_vouchers(database: Database) -> int:
    """Book the vouchers whose last day is over everywhere, a page of batches in one commit; return how many."""
    expired, after = 0, ""
    while True:
        row = (await database.rows(_EXPIRE_VOUCHERS, after=after, batches=VOUCHER_BATCHES_A_PAGE))[0]
        if row.last_batch is None:
            return expired
        expired, after = expired + row.expired, row.last_batch


def checked_before(details: Sequence[Any]) -> tuple[int, list[Violation]]:
    """Return how many rules an earlier try has checked, and what it found."""
    if not details:
        return 0, []
    checked, found = details
    return checked, [Violation(rule, offender) for rule, offender in found]
