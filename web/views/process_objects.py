"""The pages of a run, a collection, a dispute, a discrepancy and a payment request."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row
from starlette.responses import Response

from activities.collections.queries import CollectionQueries
from activities.disputes.queries import DisputeQueries
from activities.payments.charge_holds import ChargeHolds
from activities.payments.payment_requests import PaymentRequestQueries
from activities.reconciliation.queries import ReconciliationQueries
from activities.runs.queries import RunQueries
from commands.runs.show import require_run, totals_of
from models.listing import heading_of
from models.operations.payment_states import COLLECTION, DISPUTE, PAYMENT_REQUEST
from models.operations.record_states import DISCREPANCY, RUN
from models.problem import refusal
from models.reconciliation.discrepancy import OF_BANK_LINES, describe, remedy_of
from models.runs.criteria import in_words
from models.runs.process_run import RunKind, RunState
from models.workflow_ids import collection_id, dispute_id, payment_request_id
from web.actions.forms import links_of
from web.context import Visit
from web.fraud.holds import holds_tables
from web.runs.progress import totals_table
from web.views.cells import Cell, Table, address, link, links, listed, moment, money, named, state, text
from web.views.money_objects import attempts_table
from web.views.objects import Facts, ObjectPage, show_object, stripe, temporal


async def show_run(visit: Visit) -> Response:
    """Show a run: how far it has come, or what its members came to and its certificate."""
    records = RunQueries(visit.web.reading)
    run = await require_run(records, visit.request.path_params["id"])
    # While it goes on its figures come after the page, and again and again: what stood here would soon be wrong.
    is_running = run.state == RunState.RUNNING
    totals = () if is_running else await totals_of(records, run)
    supplements = await records.supplements(run) if run.kind != "shadow" and run.supplement == 0 else ()
    done = sum(row.members for row in totals if row.outcome)
    certificate = run.certificate or {}
    shown = ObjectPage(
        title=run.id,
        kind=f"{run.kind} run",
        state=state(RUN.word(run.state)),
        actions=links_of(visit, "runs", run.id, run.state) if run.kind != RunKind.BILLING else (),
        figures=() if is_running else (("Members", text(f"{run.members or 0:,}")), ("Done", text(f"{done:,}"))),
        facts=(
            ("Definition", text(run.definition_id)),
            ("Period", text(run.period)),
            ("Aborted", text("yes" if run.is_aborted else "")),
            ("Criteria", text(in_words(run.criteria) if run.criteria else "")),
            ("Started", moment(run.started_at)),
            ("Completed", moment(run.completed_at)),
            ("Seal of its certificate", text(certificate.get("sha256", "none yet"))),
            ("Collections", named(Cell("c", listed("collections", run=run.id)), "of this run")),
            ("Payments", named(Cell("p", listed("payments", run=run.id)), "of this run")),
            *(("Supplement", link("runs", row.id)) for row in supplements),
            ("Decisions", text("\n".join(run.decisions))),
        ),
        tables=(*(() if is_running else (totals_table(run, totals),)), *_left_out(run.left_out)),
        parts=(("now", address("runs-now", run.id)),) if is_running else (),
        links=(temporal(visit, run.id),),
    )
    return show_object(visit, shown)


async def show_collection(visit: Visit) -> Response:
    """Show a collection as a ladder of its attempts."""
    account_id, _, period = visit.request.path_params["id"].rpartition("/")
    records = CollectionQueries(visit.web.reading)
    found = await records.find(account_id, period)
    if found is None:
        raise refusal("account", "collection_exists", f"{account_id!r} has no collection for {period}")
    attempts = await records.attempts(found.request_id or "")
    holds = await ChargeHolds(visit.web.reading).of_account(account_id, period)
    is_held = any(hold.state == "waiting" for hold in holds)
    actions = links_of(visit, "collections", f"{account_id}/{period}", COLLECTION.word(found.stage))
    shown = ObjectPage(
        title=f"{account_id}, {period}",
        kind="collection",
        state=state(COLLECTION.word(found.stage)),
        actions=[action for action in actions if is_held or "/release-hold/" not in action.href],
        figures=(
            ("Amount", money(found.amount_minor, found.currency)),
            ("Open now", money(found.open_minor, found.currency)),
        ),
        facts=(
            ("Account", link("accounts", account_id)),
            ("Why", text(found.reason if found.reason != found.stage else "")),
            (
                "Assigned to",
                text(found.assigned_to + (" (cannot look after it any more)" if found.assignee_is_away else "")),
            ),
            ("Run", link("runs", found.run_id)),
            ("Dunning policy", text(f"{found.policy_id}, version {found.policy_version}")),
            ("Invoices", links("transactions", found.invoices or ())),
            ("Payment", link("payments", found.request_id)),
            ("Provider", text(found.provider_id)),
            ("Opened", moment(found.opened_at)),
            ("Closed", moment(found.closed_at)),
        ),
        tables=(*holds_tables(holds, account_id), attempts_table(attempts, found.currency)),
        parts=(("now", f"{address('accounts', account_id)}/now"),) if found.closed_at is None else (),
        links=(temporal(visit, collection_id(account_id, period)),),
    )
    return show_object(visit, shown)


async def show_dispute(visit: Visit) -> Response:
    """Show a dispute: until when evidence is due, and what was decided."""
    id = visit.request.path_params["id"]
    found = await DisputeQueries(visit.web.reading).find(id)
    if found is None:
        raise refusal("dispute", "dispute_exists", f"there is no dispute {id!r}")
    due = text("submitted") if found.has_evidence else moment(found.evidence_due_at)
    shown = ObjectPage(
        title=found.id,
        kind="dispute",
        state=state(DISPUTE.word(found.state)),
        actions=links_of(visit, "disputes", found.id, found.state),
        figures=(("Amount", money(found.amount_minor, found.currency)), ("Evidence by", due)),
        facts=(
            ("Account", link("accounts", found.account_id)),
            ("Payment", link("transactions", found.payment_id)),
            ("Reason", text(found.reason)),
            ("At the gateway", text(found.status)),
            ("Opened", moment(found.opened_at)),
            ("Decided", moment(found.closed_at)),
            ("Decisions", text("\n".join(found.decisions))),
        ),
        links=(stripe(visit, found.id), temporal(visit, dispute_id(found.id))),
    )
    return show_object(visit, shown)


async def show_discrepancy(visit: Visit) -> Response:
    """Show a discrepancy: what the gateway shows beside what the ledger says, and what would resolve it."""
    id = visit.request.path_params["id"]
    found = await ReconciliationQueries(visit.web.reading).discrepancy(id)
    if found is None:
        raise refusal("discrepancy", "discrepancy_exists", f"there is no discrepancy {id!r}")
    kind = describe(found.kind)
    remedy = remedy_of(found.kind, discrepancy_id=found.id, object_id=found.object, number=found.number)
    shown = ObjectPage(
        title=f"{found.id}: {found.kind.replace('_', ' ')}",
        kind="discrepancy",
        state=state(DISCREPANCY.word(found.state)),
        actions=[
            one
            for one in links_of(visit, "discrepancies", found.id, found.state)
            if found.kind in OF_BANK_LINES or not one.href.startswith("/do/discrepancies/payout/")
        ],
        sentence=f"{kind.meaning} What helps: {remedy}" if found.state == "open" else kind.meaning,
        facts=(
            ("Looked after by", text(kind.owner)),
            ("Found", moment(found.first_seen_at)),
            ("Found again", moment(found.last_seen_at)),
            ("Ended", moment(found.closed_at)),
            ("Ended as", text(found.resolution)),
            ("Ended by", text(found.actor)),
            ("Because", text(found.reason)),
        ),
        sides=_sides(found),
        links=(stripe(visit, found.object),),
    )
    return show_object(visit, shown)


async def show_request(visit: Visit) -> Response:
    """Show a payment request."""
    id = visit.request.path_params["id"]
    found = await PaymentRequestQueries(visit.web.reading).find(id)
    if found is None:
        raise refusal("request", "payment_request_exists", f"there is no payment request {id!r}")
    least, most = (money(one, found.currency).text for one in (found.least_minor, found.most_minor))
    shown = ObjectPage(
        title=found.title,
        kind=f"payment request {found.id}",
        state=state(PAYMENT_REQUEST.word(found.state)),
        actions=links_of(visit, "payment-requests", found.id, found.state),
        figures=(("Amount", money(found.amount_minor, found.currency)), ("Until", moment(found.expires_at))),
        facts=(
            ("Account", link("accounts", found.account_id)),
            ("Description", text(found.description)),
            ("Payer chooses", text(f"{least} to {most}" if most else "")),
            ("Invoices", links("transactions", found.invoices)),
            ("Payers", text("\n".join(found.payers))),
            ("Sender", text(" ".join(filter(None, (found.sender, found.sender_email))))),
            ("Why over", text(found.reason if found.closed_at else "")),
            ("Made", moment(found.created_at)),
            ("Over", moment(found.closed_at)),
            ("Decisions", text("\n".join(found.decisions))),
        ),
        links=(temporal(visit, payment_request_id(found.id)),),
    )
    return show_object(visit, shown)


def _left_out(accounts: Sequence[Mapping[str, Any]] | None) -> list[Table]:
    rows = [
        [text(one["reason"]), text(one["accounts"]), money(one["amount_minor"], one["currency"])]
        for one in accounts or ()
    ]
    heads = (("Why", False), ("Accounts", True), ("Amount", True))
    return [Table("Left out by the criteria", heads, rows)] if rows else []


def _sides(found: Row[Any]) -> tuple[tuple[str, Facts], ...]:
    evidence: Mapping[str, Any] = found.evidence or {}
    ours = {name: value for name, value in evidence.items() if name.startswith(("booked", "ledger", "our"))}
    theirs = {name: value for name, value in evidence.items() if name not in ours}
    return (
        ("What the gateway shows", [("Object", text(found.object)), *_readable(theirs, found.currency)]),
        (
            "What the ledger says",
            [
                ("Account", link("accounts", found.account_id)),
                ("Transaction", link("transactions", found.transaction_id, found.number or None)),
                ("Amount", money(found.amount_minor, found.currency)),
                *_readable(ours, found.currency),
            ],
        ),
    )


def _readable(values: Mapping[str, Any], currency: str) -> Facts:
    return [(heading_of(name), _value(name, value, currency)) for name, value in values.items()]


def _value(name: str, value: Any, currency: str) -> Cell:
    return money(value, currency) if name.endswith("_minor") and isinstance(value, int) else text(value)
