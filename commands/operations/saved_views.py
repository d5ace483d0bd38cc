"""The lists that operators keep open: each a query of Temporal's visibility, and a link that the UI saves as a view."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from models.operator_command import CommandError

# Queries know no "now": a link is good from the moment that it was made for.
MOMENTS = ("an hour ago", "in a day", "the first of the month")


@dataclass(frozen=True)
class View:
    """One list: its name, what an operator does with it, and the query, where `{...}` is filled in."""

    name: str
    meaning: str
    query: str

    @property
    def wants(self) -> frozenset[str]:
        """What must be filled in."""
        return frozenset(part.partition("}")[0] for part in self.query.split("{")[1:])


_OPEN = 'ExecutionStatus = "Running"'
_COLLECTION = 'WorkflowType = "Collection"'

VIEWS = (
    View(
        "Under way",
        "what happens now: no cards, which are there for years, and no refunds that were paid and are watched",
        f'{_OPEN} AND WorkflowType != "CardLifecycle" AND (Stage IS NULL OR Stage NOT IN ("refunded", "paid"))',
    ),
    View("Needs a person", "read the review reason, then decide", f"{_OPEN} AND NeedsReview = true"),
    View(
        "Unknown for over an hour",
        "find the payment at the gateway and resolve it",
        f'{_OPEN} AND {_COLLECTION} AND Stage IN ("unknown", "processing", "collecting")'
        ' AND UnknownSince < "{an hour ago}"',
    ),
    View("In dunning", "declined, tried again by the policy", f'{_OPEN} AND {_COLLECTION} AND Stage = "dunning"'),
    View(
        "Waits for the customer",
        "a new card, an authentication, a payment",
        f'{_OPEN} AND {_COLLECTION} AND Stage = "waiting_for_customer"',
    ),
    View(
        "Wants an authentication",
        "the customer has been sent a link",
        f'{_OPEN} AND Stage = "waiting_for_customer" AND DeclineClass = "action_required"',
    ),
    View("Next action in 24 hours", "what will be tried or ends soon", f'{_OPEN} AND NextActionAt < "{{in a day}}"'),
    View(
        "Hard declines of a run",
        "cards that will not work again",
        f'{_COLLECTION} AND ProcessRunId = "{{run}}" AND DeclineClass IN ("hard", "fraud")',
    ),
    View("Collections of a run", "all that it handed over", f'{_COLLECTION} AND ProcessRunId = "{{run}}"'),
    View("Everything of an account", "open and closed", 'AccountId = "{account}"'),
    View(
        "Given up this month",
        "the receivable stays open: write off or hand over",
        f'{_COLLECTION} AND Stage = "given_up" AND CloseTime >= "{{the first of the month}}"',
    ),
    View(
        "Runs of this month",
        "billing and payment runs, and their shadows",
        'WorkflowType IN ("BillingRun", "PaymentRun") AND StartTime >= "{the first of the month}"',
    ),
    View(
        "Runs that stand still",
        "paused by somebody, or held because the gateway answers nobody",
        f'{_OPEN} AND WorkflowType = "PaymentRun" AND Stage IN ("paused", "held")',
    ),
    View(
        "Disputes to answer",
        "the bank wants evidence before a day; submit it, or accept the loss",
        f'{_OPEN} AND WorkflowType = "Dispute" AND NeedsReview = true',
    ),
    View(
        "Refunds on their way",
        "asked for, and the gateway has not said yet that they are paid",
        f'{_OPEN} AND WorkflowType = "Refund"'
        ' AND Stage IN ("pending", "unknown", "did_not_happen", "provider_not_effective")',
    ),
    View(
        "Rewards not paid yet",
        "held, being refunded, or frozen by a dispute",
        f'{_OPEN} AND WorkflowType = "BackEndReduction" AND Stage IN ("awarded", "refunding", "frozen")',
    ),
    View(
        "Cards that are not charged",
        "blocked or expired; a new card or a person lifts it",
        f'{_OPEN} AND WorkflowType = "CardLifecycle" AND Stage IN ("blocked", "expired")',
    ),
    View(
        "Workflow task problems",
        "a bug: nothing is lost, deploy a fix and it goes on",
        f"{_OPEN} AND TemporalReportedProblems IS NOT NULL",
    ),
)


def filled_in(now: datetime, *, run: str = "", account: str = "") -> dict[str, str]:
    """Return what views are filled in with. CommandError: an id that no query can carry."""
    for field, value in (("run", run), ("account", account)):
        if '"' in value or "\\" in value:
            raise CommandError(f"{field}: {value} has a quotation mark or a backslash, which a query cannot carry")
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    moments = (now - timedelta(hours=1), now + timedelta(days=1), day.replace(day=1))
    given = {"run": run, "account": account}
    return {name: _moment(at) for name, at in zip(MOMENTS, moments, strict=True)} | {
        k: v for k, v in given.items() if v
    }


def query_of(view: View, values: Mapping[str, str]) -> str:
    """Return a view's query. Raises KeyError when a value is missing."""
    query = view.query
    for name in view.wants:
        query = query.replace(f"{{{name}}}", values[name])
    return query


def link_of(view: View, query: str, *, ui_url: str, namespace: str) -> str:
    """Return the address that opens a view in the UI, which keeps it among the saved views of that browser."""
    parameters = urlencode({"query": query, "savedQuery": view.name}, quote_via=quote)
    return f"{ui_url.rstrip('/')}/namespaces/{quote(namespace, safe='')}/workflows?{parameters}"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
