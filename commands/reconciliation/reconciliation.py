"""Starting a day's reconciliation, showing its certificate, and ending discrepancies."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Row
from temporalio.common import WorkflowIDConflictPolicy

from activities.reconciliation.matching import CERTIFICATE
from activities.reconciliation.queries import ReconciliationQueries
from commands.formatting import document, moment, money
from commands.links import link_line, workflow_link
from commands.lists.paging import answer_list, state_word
from commands.output import Output, table
from commands.session import database_of, read_settings, reading_database_of, temporal_for_orders
from commands.updates import require_who_and_why
from commands.waiting.answers import result_of
from models.listing import ListPage
from models.problem import refusal
from models.reconciliation.discrepancy import DiscrepancyResolution, DiscrepancyState, describe, remedy_of
from models.reconciliation.reconciliation import ReconciliationCertificate, ReconciliationRequest
from models.workflow_ids import WORKFLOW_QUEUE, reconciliation_id
from models.workflow_inputs import DAY_RULE
from settings import Settings
from workflows.reconciliation.reconciliation import Reconciliation


async def start(output: Output, day: date | None, *, young_minutes: int, wait_seconds: float | None) -> None:
    """Reconcile a day to its certificate. Raises RefusedError for a day that has not begun."""
    settings = read_settings()
    today = datetime.now(UTC).date()
    day = day or today
    if day > today:
        raise refusal("day", DAY_RULE, f"{day} has not begun")
    client = await temporal_for_orders(settings)
    handle = await client.start_workflow(
        Reconciliation.run,
        ReconciliationRequest(settings.provider, day, young_minutes),
        id=reconciliation_id(settings.provider, f"{day}"),
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"Compares {day} at {settings.provider} with the ledger",
    )
    certificate = await result_of(client, handle, noun="reconciliation", wait_seconds=wait_seconds)
    _answer(output, settings, certificate)


async def show(output: Output, day: date) -> None:
    """Show a certificate."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        found = await ReconciliationQueries(database).find(reconciliation_id(settings.provider, f"{day}"))
    if found is None or found.certificate is None:
        raise refusal("day", "day_is_certified", f"{day} has no certificate; duly reconcile start --day {day}")
    _answer(output, settings, CERTIFICATE.validate_python(found.certificate))


async def list_page(output: Output, page: ListPage, *, state: str, kind: str) -> None:
    """List a page of discrepancies, the newest first, with who looks after each and what helps."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await ReconciliationQueries(database).page(page, state=state, kind=kind)
    columns = {
        "Discrepancy": lambda row: row.id,
        "Kind": lambda row: row.kind,
        "Object": lambda row: row.object,
        "Account": lambda row: row.account_id,
        "Amount>": lambda row: money(row.amount_minor, row.currency) if row.currency else "",
        "State": state_word,
        "Owner": lambda row: describe(row.kind).owner,
        "Since": lambda row: moment(row.first_seen_at),
    }
    remedies = [f"{row.id}: {_remedy(row)}" for row in listed.rows if row.state == DiscrepancyState.OPEN]
    helps = ["What helps:\n" + "\n".join(f"- {line}" for line in remedies)] if remedies else []
    await answer_list(output, settings, "discrepancies", listed, columns, also=_meaning, below=helps)


async def resolve(
    output: Output, discrepancy: str, resolution: DiscrepancyResolution, *, account_id: str, actor: str, reason: str
) -> None:
    """End a discrepancy by decision. Raises RefusedError, naming the rule, when it makes no sense."""
    require_who_and_why(actor, reason)
    async with database_of(read_settings()) as database:
        queries = ReconciliationQueries(database)
        await queries.resolve(discrepancy, resolution, account_id=account_id, actor=actor, reason=reason)
        found = await queries.discrepancy(discrepancy)
    booked = f" as {found.number}" if found and resolution is DiscrepancyResolution.BOOKED else ""
    output.answer(_document(found) if found else {}, f"{discrepancy} is resolved: {resolution}{booked}, says {actor}.")


def _document(row: Row[Any]) -> dict[str, Any]:
    return {**document(row), **_meaning(row)}


def _meaning(row: Row[Any]) -> dict[str, Any]:
    kind = describe(row.kind)
    return {"meaning": kind.meaning, "owner": str(kind.owner), "remedy": _remedy(row)}


def _remedy(row: Row[Any]) -> str:
    return remedy_of(row.kind, discrepancy_id=row.id, object_id=row.object, number=row.number)


def _answer(output: Output, settings: Settings, certificate: ReconciliationCertificate) -> None:
    link = workflow_link(settings, certificate.reconciliation_id)
    totals = [
        (
            total.kind,
            total.state,
            total.movements,
            money(total.amount_minor, total.currency),
            money(total.fee_minor, total.currency),
        )
        for total in certificate.totals
    ]
    balances = [
        (
            one.currency,
            money(one.gateway_minor, one.currency),
            money(one.ledger_minor, one.currency),
            money(one.unbooked_minor, one.currency),
            money(one.difference_minor, one.currency),
        )
        for one in certificate.balances
    ]
    count = certificate.open_discrepancies
    verdict = f"{count} discrepancies are open: duly reconcile list" if count else "Gateway and ledger agree."
    heads = ("Movement", "State", "Count", "Amount", "Fee")
    balance_heads = ("Balance", "Gateway", "Ledger", "Not booked", "Unexplained")
    output.answer(
        {"certificate": CERTIFICATE.dump_python(certificate, mode="json"), "agrees": not count, "link": link},
        table(f"{certificate.provider} on {certificate.day}", *heads, rows=totals, right=heads[2:]),
        table("", *balance_heads, rows=balances, right=balance_heads[1:]),
        verdict,
        f"Seal: {certificate.sha256}",
        *link_line(link),
        is_good=not count,
    )
