"""Lists of runs and their members, collections, refunds, disputes, discrepancies, requests by link."""

from activities.collections.queries import CollectionQueries
from activities.database import Database
from activities.disputes.queries import DisputeQueries
from activities.listing import Listed
from activities.payments.payment_requests import PaymentRequestQueries
from activities.reconciliation.queries import ReconciliationQueries
from activities.refunds.queries import RefundQueries
from activities.runs.queries import RunQueries
from models.listing import ListPage
from models.operations.payment_states import COLLECTION, DISPUTE, PAYMENT_REQUEST, REFUND
from models.operations.record_states import DISCREPANCY, RUN, RUN_MEMBER
from models.reconciliation.discrepancy import describe
from models.runs.process_run import RunKind
from web.views.cells import Column, link, moment, money, state, text, words
from web.views.listing import Filter, Given, ListOfNoun, user_of
from web.views.money_lists import ACCOUNT_COLUMN


async def _runs(database: Database, page: ListPage, given: Given) -> Listed:
    return await RunQueries(database).page(
        page, kind=given["kind"], definition_id=given["definition"], state=given["state"]
    )


async def _members(database: Database, page: ListPage, given: Given) -> Listed:
    return await RunQueries(database).members(given["run"], page, outcome=given["outcome"])


async def _collections(database: Database, page: ListPage, given: Given) -> Listed:
    return await CollectionQueries(database).page(
        page,
        state=given["state"],
        run_id=given["run"],
        account_id=given["account"],
        assigned_to=user_of(given) if given["assigned"] == "me" else given["assigned"],
    )


async def _refunds(database: Database, page: ListPage, given: Given) -> Listed:
    return await RefundQueries(database).page(page, account_id=given["account"], state=given["state"])


async def _disputes(database: Database, page: ListPage, given: Given) -> Listed:
    return await DisputeQueries(database).page(page, account_id=given["account"], state=given["state"])


async def _discrepancies(database: Database, page: ListPage, given: Given) -> Listed:
    return await ReconciliationQueries(database).page(page, state=given["state"], kind=given["kind"])


async def _requests(database: Database, page: ListPage, given: Given) -> Listed:
    return await PaymentRequestQueries(database).page(page, state=given["state"], account_id=given["account"])


RUNS = ListOfNoun(
    "runs",
    "Runs",
    (
        Column("Run", lambda row: link("runs", row.id)),
        Column("Kind", lambda row: text(row.kind)),
        Column("State", lambda row: state(RUN.word(row.state))),
        Column("Period", lambda row: text(row.period)),
        Column("Members", lambda row: text(row.members), is_number=True),
        Column("Started", lambda row: moment(row.started_at)),
        Column("Completed", lambda row: moment(row.completed_at)),
    ),
    (
        Filter("kind", "Kind", (*map(str, RunKind), "shadow")),
        Filter("state", "State", ("running", "completed")),
        Filter("definition", "Definition"),
    ),
    _runs,
    "No run has been started: `duly runs start`.",
)
MEMBERS = ListOfNoun(
    "members",
    "Members of a run",
    (
        Column("Member", lambda row: text(row.member_id)),
        ACCOUNT_COLUMN,
        Column("Outcome", lambda row: state(RUN_MEMBER.word(row.outcome))),
        Column("Why", lambda row: text(row.reason)),
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("Settled", lambda row: money(row.settled_minor, row.currency), is_money=True),
        Column("Transaction", lambda row: link("transactions", row.transaction_id)),
        Column("Credit note", lambda row: link("transactions", row.credit_note_id)),
    ),
    (
        Filter("run", "Run"),
        Filter("outcome", "Outcome", tuple(word for word in RUN_MEMBER.words if word != "to_do")),
    ),
    _members,
    "Nobody is in it.",
    has_days=False,
    required="run",
)
COLLECTIONS = ListOfNoun(
    "collections",
    "Collections",
    (
        Column("Receivable", lambda row: link("collections", f"{row.account_id}/{row.period}", row.period)),
        ACCOUNT_COLUMN,
        Column("Stage", lambda row: state(COLLECTION.word(row.stage))),
        Column("Why", lambda row: words((row.reason if row.reason != row.stage else "") or row.request_state)),
        Column("Last decline", lambda row: words(row.decline_code)),
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("Open now", lambda row: money(row.open_minor, row.currency), is_money=True),
        Column("Assigned to", lambda row: text(row.assigned_to + (" (away)" if row.assignee_is_away else ""))),
        Column("Run", lambda row: link("runs", row.run_id)),
        Column("Opened", lambda row: moment(row.opened_at)),
        Column("Closed", lambda row: moment(row.closed_at)),
    ),
    (
        Filter("state", "Stage", ("open", "settled", "given_up")),
        Filter("assigned", "Assigned to (or me, nobody, away)"),
        Filter("account", "Account"),
        Filter("run", "Run"),
    ),
    _collections,
    "Nothing has had to wait: what is declined, or has no card, is here.",
)
REFUNDS = ListOfNoun(
    "refunds",
    "Refunds",
    (
        Column("Refund", lambda row: link("refunds", row.id)),
        Column("Kind", lambda row: text(row.kind.replace("_", " "))),
        ACCOUNT_COLUMN,
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("State", lambda row: state(REFUND.word(row.state))),
        Column("Why", lambda row: text(row.code)),
        Column("Asked by", lambda row: text(row.asked_by)),
        Column("Asked", lambda row: moment(row.created_at)),
    ),
    (
        Filter("state", "State", tuple(word for word in REFUND.words if word not in REFUND.finer)),
        Filter("account", "Account"),
    ),
    _refunds,
    "Nothing has been given back.",
)
DISPUTES = ListOfNoun(
    "disputes",
    "Disputes",
    (
        Column("Dispute", lambda row: link("disputes", row.id)),
        ACCOUNT_COLUMN,
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("Reason", lambda row: text(row.reason)),
        Column("State", lambda row: state(DISPUTE.word(row.state))),
        Column("Evidence by", lambda row: text("submitted") if row.has_evidence else moment(row.evidence_due_at)),
        Column("Opened", lambda row: moment(row.opened_at)),
    ),
    (Filter("state", "State", tuple(DISPUTE.words)), Filter("account", "Account")),
    _disputes,
    "No bank has taken anything back.",
)
DISCREPANCIES = ListOfNoun(
    "discrepancies",
    "Discrepancies",
    (
        Column("Discrepancy", lambda row: link("discrepancies", row.id)),
        Column("Kind", lambda row: text(row.kind.replace("_", " "))),
        Column("Object", lambda row: text(row.object)),
        ACCOUNT_COLUMN,
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("State", lambda row: state(DISCREPANCY.word(row.state))),
        Column("Owner", lambda row: text(describe(row.kind).owner)),
        Column("Since", lambda row: moment(row.first_seen_at)),
    ),
    (Filter("state", "State", tuple(DISCREPANCY.words)), Filter("kind", "Kind")),
    _discrepancies,
    "Gateway and ledger have agreed on everything.",
)
REQUESTS = ListOfNoun(
    "payment-requests",
    "Payment requests",
    (
        Column("Request", lambda row: link("payment-requests", row.id)),
        ACCOUNT_COLUMN,
        Column("Title", lambda row: text(row.title)),
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("State", lambda row: state(PAYMENT_REQUEST.word(row.state))),
        Column("Until", lambda row: moment(row.expires_at)),
        Column("Made", lambda row: moment(row.created_at)),
    ),
    (
        Filter("state", "State", tuple(word for word in PAYMENT_REQUEST.words if word not in PAYMENT_REQUEST.finer)),
        Filter("account", "Account"),
    ),
    _requests,
    "Nobody has been asked for a payment by a link.",
)
