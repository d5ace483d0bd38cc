"""Printing a certificate: every member, the totals, and the seal computed again."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from sqlalchemy import Row

from activities.runs.queries import RunQueries
from commands.formatting import document, money
from commands.output import Output, table
from commands.runs.show import BILLED, left_out, net_tax_total, require_run, table_of, totals_of
from commands.session import read_settings, reading_database_of
from models.problem import refusal
from models.runs.certificate import Seal, SealedItem
from models.runs.process_run import RunKind

COLUMNS = ("Member", "Account", "Outcome", "Why", "Amount", "Settled", "Transaction")
BILLED_COLUMNS = (*COLUMNS[:4], *BILLED, "Transaction")


async def certificate(output: Output, run_id: str) -> None:
    """Print a run's certificate page by page. Raises RefusedError when the run has none yet."""
    async with reading_database_of(read_settings()) as database:
        records = RunQueries(database)
        run = await require_run(records, run_id)
        if run.certificate is None:
            raise refusal("run", "run_completed", f"{run_id} is {run.state} and has no certificate yet")
        seal = Seal()
        with output.stream("items") as stream:
            is_billing = run.kind == RunKind.BILLING
            async for page in records.items(run_id, is_billing=is_billing):
                for row in page:
                    seal.add(_sealed(row))
                stream.rows((document(row) for row in page), _billed(page) if is_billing else _items(page))
            holds = seal.hexdigest() == run.certificate["sha256"] and seal.members == run.certificate["members"]
            stream.finish(
                {"certificate": run.certificate, "seal": {"computed": seal.hexdigest(), "holds": holds}},
                table_of(run, await totals_of(records, run), "Totals"),
                *taken_again(run.certificate),
                *left_out(run.certificate.get("left_out", ())),
                *from_wallet(run.certificate.get("from_wallet", ())),
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


def taken_again(certificate: Mapping[str, Any]) -> Sequence[Table]:
    """Make the table of what a supplement took again: the certificates before it have it as passed over."""
    rows = [
        (one["outcome"], one["reason"], one["currency"], one["members"], money(one["amount_minor"], one["currency"]))
        for one in certificate.get("taken_again", ())
    ]
    columns = ("Outcome before", "Why", "Currency", "Members", "Amount")
    return [table("Taken again", *columns, rows=rows, right=columns[3:])] if rows else []


def from_wallet(currencies: Sequence[Mapping[str, Any]]) -> Sequence[Table]:
    """Make the table of what was settled from wallets before any card was asked."""
    rows = [(one["currency"], one["accounts"], money(one["amount_minor"], one["currency"])) for one in currencies]
    columns = ("Currency", "Accounts", "Amount")
    return [table("Settled from wallets", *columns, rows=rows, right=columns[1:])] if rows else []


def _billed(page: Sequence[Row[Any]]) -> Table:
    rows = [
        (
            row.member_id,
            row.account_id,
            row.outcome,
            row.reason,
            *net_tax_total(row, row.currency),
            _documents(row),
        )
        for row in page
    ]
    return table("", *BILLED_COLUMNS, rows=rows, right=BILLED)


def _items(page: Sequence[Row[Any]]) -> Table:
    rows = [
        (
            row.member_id,
            row.account_id if row.account_id != row.member_id else "same",
            row.outcome,
            row.reason,
            money(row.amount_minor, row.currency),
            money(row.settled_minor, row.currency),
            _documents(row),
        )
        for row in page
    ]
    return table("", *COLUMNS, rows=rows, right=("Amount", "Settled"))


def _documents(row: Row[Any]) -> str:
    return ", ".join(id for id in (row.transaction_id, row.credit_note_id) if id)
