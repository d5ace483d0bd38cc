"""Printing a certificate: every member, the totals, and the seal computed again."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from sqlalchemy import Row

from activities.runs.queries import RunQueries
from commands.formatting import document, money
from commands.output import Output, table
from commands.runs.show import require_run, totals_table
from commands.session import database_of, read_settings
from models.problem import refusal
from models.runs.certificate import Seal, SealedItem

COLUMNS = ("Member", "Account", "Outcome", "Why", "Amount", "Settled", "Transaction")


async def certificate(output: Output, run_id: str) -> None:
    """Print a run's certificate page by page. Raises RefusedError when the run has none yet."""
    async with database_of(read_settings()) as database:
        records = RunQueries(database)
        run = await require_run(records, run_id)
        if run.certificate is None:
            raise refusal("run", "run_completed", f"{run_id} is {run.state} and has no certificate yet")
        seal = Seal()
        with output.stream("items") as stream:
            async for page in records.items(run_id):
                for row in page:
                    seal.add(_sealed(row))
                stream.rows((document(row) for row in page), _items(page))
            holds = seal.hexdigest() == run.certificate["sha256"] and seal.members == run.certificate["members"]
            stream.finish(
                {"certificate": run.certificate, "seal": {"computed": seal.hexdigest(), "holds": holds}},
                totals_table(await records.totals(run_id), "Totals"),
                _statement(run, seal, holds=holds),
                is_good=holds,
            )


def _statement(run: Row[Any], seal: Seal, *, holds: bool) -> str:
    if holds:
        return f"{run.id}: {seal.members} members, each with one outcome. The seal holds: {seal.hexdigest()}"
    return (
        f"{run.id}: THE SEAL DOES NOT HOLD. The certificate says {run.certificate['sha256']} over"
        f" {run.certificate['members']} members; the {seal.members} members come to {seal.hexdigest()}."
    )


def _sealed(row: Row[Any]) -> SealedItem:
    return SealedItem(
        member_id=row.member_id,
        currency=row.currency,
        amount_minor=row.amount_minor,
        settled_minor=row.settled_minor,
        outcome=row.outcome or "",
        reason=row.reason,
        transaction_id=row.transaction_id,
    )


def _items(page: Sequence[Row[Any]]) -> Table:
    rows = [
        (
            row.member_id,
            row.account_id if row.account_id != row.member_id else "same",
            row.outcome,
            row.reason,
            money(row.amount_minor, row.currency),
            money(row.settled_minor, row.currency),
            row.transaction_id,
        )
        for row in page
    ]
    return table("", *COLUMNS, rows=rows, right=("Amount", "Settled"))
