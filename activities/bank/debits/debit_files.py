"""Batches of debits: what is due goes into one, which is written as often as wanted and sent by a person."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import Row, func, select

from activities.bank.debits.debit_file import as_pain_008
from activities.bank.debits.notices import DebitNotices
from activities.database import Database
from models.bank.debit import Creditor, WrittenDebit
from models.bank.working_days import earliest_collection
from models.gateway.clocks import REFUSE_AT
from models.money import Money
from models.problem import refusal
from models.tables.returns import DebitBatchRow, DebitRow

# Banks take a file so many days of the calendar before its collection (EPC130-08, 4.3).
AHEAD = timedelta(days=14)


class DebitFiles:
    """Makes batches, and their files."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def batch(self, provider: str, *, actor: str, reason: str) -> str:
        """Put what is due into a batch and return its id; empty where nothing is.

        Raises RuleBrokenError, and RefusedError (clocks_agree).
        """
        moment = await self._moment()
        # What has no letter yet has one from now on, and is in a later file.
        await DebitNotices(self._database).announce(moment)
        creditor = await self._database.call("creditor_of", provider_id=provider)
        hours = {name: creditor[name] for name in ("lead_days", "cut_off", "time_zone")}
        made = await self._database.call(
            "batch_debits",
            provider_id=provider,
            earliest=earliest_collection(moment, **hours),
            until=moment.date() + AHEAD,
            actor=actor,
            reason=reason,
        )
        return str(made or "")

    async def _moment(self) -> datetime:
        """Return what time it is. By a clock that is wrong a file would ask for days that the bank cannot keep."""
        before = datetime.now(UTC)
        (read,) = await self._database.rows("select clock_timestamp() as now")
        apart = max(before - read.now, read.now - datetime.now(UTC))
        if apart > REFUSE_AT:
            what = f"the clocks of the database and of this machine are {apart.seconds} s apart"
            raise refusal("clock", "clocks_agree", f"{what}: set them, then export")
        return cast("datetime", read.now)

    async def unannounced(self, provider: str) -> int:
        """Return how many debits are due and in no file because their payers were not notified in time."""
        until = datetime.now(UTC).date() + AHEAD
        return int(await self._database.call("count_unannounced_debits", provider_id=provider, until=until))

    async def find(self, batch: str) -> Row[Any]:
        """Return a batch. Raises RefusedError (batch_exists)."""
        found = await self._database.read_first(
            select(DebitBatchRow.id, DebitBatchRow.state, DebitBatchRow.creditor, DebitBatchRow.created_at).where(
                DebitBatchRow.id == batch
            )
        )
        if found is None:
            raise refusal("batch", "batch_exists", f"there is no batch {batch!r}")
        return found

    async def content(self, batch: str) -> tuple[bytes, list[WrittenDebit]]:
        """Return a batch as pain.008, and the debits in it, whatever became of them."""
        found = await self.find(batch)
        given = found.creditor
        names = ("name", "iban", "bic", "creditor_identifier", "scheme", "version")
        debits = [_written(row) for row in await self._debits(batch)]
        return as_pain_008(batch, found.created_at, Creditor(*(given[name] for name in names)), debits), debits

    async def sent(self, batch: str, *, actor: str, reason: str) -> None:
        """Note that a person has given a batch to the bank. Raises RuleBrokenError (batch_exists)."""
        await self._database.call("note_batch_sent", batch_id=batch, actor=actor, reason=reason)

    async def _debits(self, batch: str) -> list[Row[Any]]:
        query = select(DebitRow).where(DebitRow.batch_id == batch)
        columns = (
            *(DebitRow.id, DebitRow.payment_information, DebitRow.amount_minor, DebitRow.currency),
            *(DebitRow.sequence_type, DebitRow.collect_on, DebitRow.mandate_id, DebitRow.written),
        )
        in_order = (DebitRow.payment_information, func.length(DebitRow.id), DebitRow.id)
        return list(await self._database.read(query.with_only_columns(*columns).order_by(*in_order)))


def _written(row: Row[Any]) -> WrittenDebit:
    given = row.written
    return WrittenDebit(
        id=row.id,
        payment_information=row.payment_information,
        amount=Money(row.amount_minor, row.currency),
        sequence_type=row.sequence_type,
        collect_on=row.collect_on,
        mandate=row.mandate_id,
        signed_on=date.fromisoformat(given["signed_on"]),
        payer=given["payer"],
        iban=given["iban"],
        bic=given["bic"],
        text=given["text"] or "",
        is_amended=given["is_amended"],
    )
