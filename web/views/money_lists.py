"""Lists of accounts, transactions, payments (P14, P15), requests to gateways (G17), and what waits in suspense."""

from activities.console.merchant_scope import is_customer_of
from activities.database import Database
from activities.ledger.account_queries import AccountQueries
from activities.ledger.suspense_queries import SuspenseQueries
from activities.ledger.transaction_queries import TransactionFilter, TransactionQueries
from activities.listing import Listed
from activities.payments.queries import PaymentFilter, PaymentQueries
from activities.payments.request_queries import RequestFilter, RequestQueries
from commands.ledger.transactions import state_of
from commands.payments.show import within
from models.gateway.gateway_request import RequestKind
from models.ledger.transaction import Classification
from models.listing import ListPage
from models.operations.ledger_states import ACCOUNT, TRANSACTION
from models.operations.payment_states import INTENT, REQUEST
from web.views.cells import Column, day, link, moment, money, state, text, words
from web.views.listing import Filter, Given, ListOfNoun, merchants_of

# Where it stands beside others, its page has a name of its own.
ACCOUNT_COLUMN = Column("Account", lambda row: link("accounts", row.account_id))


async def _accounts(database: Database, page: ListPage, given: Given) -> Listed:
    own = is_customer_of(merchants_of(given))
    return await AccountQueries(database).page(
        page,
        *own,
        state=given["state"],
        segment=given["segment"],
        classification=given["classification"],
        region=given["region"],
    )


async def _transactions(database: Database, page: ListPage, given: Given) -> Listed:
    records = TransactionQueries(database)
    wanted = TransactionFilter(
        given["account"], given["classification"], given["state"], page.since, page.until, given["unsettled"] == "yes"
    )
    rows = await records.page(wanted, before=await records.behind(page.after), limit=page.limit)
    return Listed(rows, rows[-1].id if len(rows) == page.limit else None, is_totalled=False)


async def _payments(database: Database, page: ListPage, given: Given) -> Listed:
    return await PaymentQueries(database).page(page, _wanted_payments(given), with_totals=False)


def _wanted_payments(given: Given) -> PaymentFilter:
    """Read the filters of payments, as `payments list` has them. Raises RefusedError: an amount is none."""
    wanted = PaymentFilter(
        given["state"],
        given["kind"],
        given["run"],
        given["account"],
        given["card"],
        given["method"],
        given["provider"],
        given["merchant"],
        given["currency"].upper(),
    )
    return within(wanted, (given["at_least"], given["at_most"]))


def _check_payments(given: Given) -> None:
    _wanted_payments(given)


async def _gateway_requests(database: Database, page: ListPage, given: Given) -> Listed:
    names = ("state", "kind", "run", "account", "provider", "merchant", "card", "preference", "error", "reference")
    wanted = RequestFilter(**{name: given[name] for name in names})
    return await RequestQueries(database).page(page, wanted, with_totals=False)


async def _suspense(database: Database, page: ListPage, given: Given) -> Listed:
    return await SuspenseQueries(database).page(page, currency=given["currency"])


ACCOUNTS = ListOfNoun(
    "accounts",
    "Accounts",
    (
        Column("Account", lambda row: link("accounts", row.id)),
        Column("Owner", lambda row: text(row.owner_name)),
        Column("State", lambda row: state(ACCOUNT.word(row.state))),
        Column("Balance", lambda row: money(row.balance_minor, row.currency), is_money=True),
        Column("Overdue", lambda row: money(row.overdue_minor or None, row.currency), is_money=True),
        Column("Since", lambda row: day(row.overdue_since)),
        Column("Card", lambda row: text(row.card)),
        Column("Segment", lambda row: text(row.segment)),
        Column("Region", lambda row: text(row.region)),
        Column("Made", lambda row: moment(row.created_at)),
    ),
    (
        Filter("state", "State", tuple(ACCOUNT.words)),
        Filter("segment", "Segment"),
        Filter("classification", "Classification"),
        Filter("region", "Region"),
    ),
    _accounts,
    "No account has been made: `duly accounts create`, or import a file.",
)
TRANSACTIONS = ListOfNoun(
    "transactions",
    "Transactions",
    (
        Column("Number", lambda row: link("transactions", row.id, row.number or row.reference_number)),
        Column("Kind", lambda row: text(row.classification.replace("_", " "))),
        Column("Account", lambda row: link("accounts", row.account_id)),
        Column("State", lambda row: state(state_of(row))),
        Column("Posted, or issued", lambda row: day(row.posted_on or row.issued_on)),
        Column("Due", lambda row: day(row.due_on)),
        Column("Total", lambda row: money(row.total_minor, row.currency), is_money=True),
        Column("Unsettled", lambda row: money(row.unsettled_minor, row.currency), is_money=True),
        Column("Method", lambda row: text(row.method)),
    ),
    (
        Filter("account", "Account"),
        Filter("classification", "Kind", tuple(map(str, Classification))),
        Filter("state", "State", tuple(TRANSACTION.words)),
        Filter("unsettled", "Unsettled", ("yes",)),
    ),
    _transactions,
    "Nothing has been posted.",
)
PAYMENTS = ListOfNoun(
    "payments",
    "Payments through gateways",
    (
        Column("Payment", lambda row: link("payments", row.id)),
        ACCOUNT_COLUMN,
        Column("State", lambda row: state(row.state)),
        Column("Amount", lambda row: money(row.amount_minor, row.currency), is_money=True),
        Column("Method", lambda row: text(row.method)),
        Column("Card", lambda row: text(row.card)),
        Column("Provider", lambda row: text(row.provider)),
        Column("Why not", lambda row: text(row.code if row.state != "succeeded" else "")),
        Column("Tries", lambda row: text(row.attempts), is_number=True),
        Column("Number", lambda row: link("transactions", row.payment_id, row.number)),
        Column("Asked by", lambda row: words(row.kind)),
        Column("Asked", lambda row: moment(row.created_at)),
    ),
    (
        Filter("state", "State", tuple(INTENT.words)),
        Filter("kind", "Asked by", ("by_hand", "run", "by_link", "service")),
        Filter("account", "Account"),
        Filter("method", "Method"),
        Filter("provider", "Provider"),
        Filter("merchant", "Merchant"),
        Filter("run", "Run"),
        Filter("card", "Card"),
        Filter("currency", "Currency"),
        Filter("at_least", "At least"),
        Filter("at_most", "At most"),
    ),
    _payments,
    "Nothing has been asked of a gateway.",
    check=_check_payments,
    checked=("at_least", "at_most"),
)
GATEWAY_REQUESTS = ListOfNoun(
    "requests",
    "Requests to gateways",
    (
        Column("Request", lambda row: link("requests", row.id)),
        Column("Kind", lambda row: words(row.kind)),
        ACCOUNT_COLUMN,
        Column("State", lambda row: state(row.state)),
        Column("Amount", lambda row: money(row.amount_minor or None, row.currency), is_money=True),
        Column("Provider", lambda row: text(row.provider)),
        Column("Preference", lambda row: text(row.preference)),
        Column("At the gateway", lambda row: text(row.gateway_reference)),
        Column("Why not", lambda row: text(row.error_code)),
        Column("Asked", lambda row: moment(row.created_at)),
        Column("Executed", lambda row: moment(row.executed_at)),
    ),
    (
        Filter("state", "State", tuple(REQUEST.words)),
        Filter("kind", "Kind", tuple(map(str, RequestKind))),
        Filter("account", "Account"),
        Filter("provider", "Provider"),
        Filter("merchant", "Merchant"),
        Filter("run", "Run"),
        Filter("card", "Card"),
        Filter("preference", "Preference"),
        Filter("error", "Error code"),
        Filter("reference", "At the gateway"),
    ),
    _gateway_requests,
    "Nothing has been requested of a gateway.",
)
SUSPENSE = ListOfNoun(
    "suspense",
    "Payments in suspense",
    (
        Column("Number", lambda row: link("transactions", row.id, row.number)),
        Column("Unsettled", lambda row: money(row.unsettled_minor, row.currency), is_money=True),
        Column("Total", lambda row: money(row.total_minor, row.currency), is_money=True),
        Column("Posted", lambda row: day(row.posted_on)),
        Column("Reference", lambda row: text(row.payment_reference or row.gateway_reference)),
        Column("Meant for", lambda row: link("accounts", row.intended_account_id)),
        Column("Note", lambda row: text(row.note)),
    ),
    (Filter("currency", "Currency"),),
    _suspense,
    "Nothing waits: it is known whose every payment is.",
)
