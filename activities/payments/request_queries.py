"""Requests to gateways as lists and pages show them (G17), with every field of X32: read only."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Row, Text, any_, case, cast, func, literal_column, or_, select
from sqlalchemy.orm import aliased

from activities.database import Database, matching
from activities.listing import Columns, Listed, NewestFirst
from models.gateway.gateway_request import RequestKind, RequestState
from models.listing import ListPage
from models.payments.preference import number_of_preference
from models.payments.state import FIELD_STATES, FieldState, stored_states
from models.tables.accounts import WalletTransactionRow
from models.tables.collecting import GatewayAttemptRow, GatewayRequestRow
from models.tables.configuration import CardRow, PaymentPreferenceRow, ProviderRow
from models.tables.ledger import AccountBillRow, BillEntryRow
from models.tables.transactions import FinancialTransactionRow, TransactionNumberRow

_R, _W = GatewayRequestRow, WalletTransactionRow
_OF = aliased(GatewayRequestRow, name="of_request")
_OF_PAYMENT = aliased(FinancialTransactionRow, name="of_payment")
_FIELD_STATE = case(
    *((_R.state == stored, known_as) for stored, known_as in FIELD_STATES.items()), else_=FieldState.UNDER_PROCESSING
)


def _transaction_of(kind: RequestKind) -> ColumnElement[Any]:
    return case((_R.kind == kind, _R.transaction_id))


# What was tried last at the gateway has a reference too, which a request gets when it is over (X36).
_LAST_REFERENCE = (
    select(GatewayAttemptRow.gateway_reference)
    .where(GatewayAttemptRow.request_id == _R.id)
    .order_by(GatewayAttemptRow.attempt.desc())
    .limit(1)
    .scalar_subquery()
)
_PAID_BILLS = func.array(
    select(AccountBillRow.number)
    .join(BillEntryRow, BillEntryRow.bill_id == AccountBillRow.id)
    .where(BillEntryRow.transaction_id == any_(_R.invoices))
    .order_by(AccountBillRow.number)
    .distinct()
    .scalar_subquery()
)
# A payment tops a wallet up by its type, or by paying the invoice of a top-up.
_TOPPED_UP = func.array(
    select(_W.number)
    .where(
        _R.kind == RequestKind.PAYMENT,
        _W.direction == "credit",
        or_(_W.funding_payment_id == _R.transaction_id, _W.transaction_id == any_(_R.invoices)),
    )
    .order_by(_W.number)
    .scalar_subquery()
)
REQUESTS = (
    select(
        _R.id,
        _R.kind,
        _FIELD_STATE.label("state"),
        _R.state.label("stored_state"),
        _R.account_id,
        _R.amount_minor,
        _R.currency,
        _R.provider_id.label("provider"),
        _R.run_id,
        _R.transaction_id,
        TransactionNumberRow.number.label("transaction_number"),
        func.coalesce(_transaction_of(RequestKind.PAYMENT), _OF.transaction_id).label("payment_id"),
        _transaction_of(RequestKind.PAYMENT_CANCELLATION).label("payment_cancellation_id"),
        _transaction_of(RequestKind.REFUND).label("refund_id"),
        _R.of_request_id,
        func.coalesce(FinancialTransactionRow.payment_preference, _OF_PAYMENT.payment_preference).label("preference"),
        _R.card_id,
        func.nullif(func.trim(func.concat(CardRow.brand, " ", CardRow.last4)), "").label("card"),
        _R.invoices,
        cast(_PAID_BILLS, ARRAY(Text)).label("paid_bills"),
        cast(_TOPPED_UP, ARRAY(Text)).label("topped_up_wallets"),
        func.coalesce(_R.gateway_reference, case((_R.state == RequestState.REJECTED, _LAST_REFERENCE))).label(
            "gateway_reference"
        ),
        _R.error_code,
        _R.error_description,
        _R.asked_by,
        _R.asked_because,
        _R.created_at,
        _R.executed_at,
    )
    .outerjoin(FinancialTransactionRow, FinancialTransactionRow.id == _R.transaction_id)
    .outerjoin(TransactionNumberRow, TransactionNumberRow.transaction_id == _R.transaction_id)
    .outerjoin(_OF, _OF.id == _R.of_request_id)
    .outerjoin(_OF_PAYMENT, _OF_PAYMENT.id == _OF.transaction_id)
    .outerjoin(CardRow, CardRow.id == _R.card_id)
)
_LIST = NewestFirst(
    REQUESTS, moment=_R.created_at, key=_R.id, state=_FIELD_STATE, amount=_R.amount_minor, currency=_R.currency
)


@dataclass(frozen=True)
class RequestFilter:
    """Which requests to list; what is empty lets all through. A preference is one by its number, such as PP-1042."""

    state: str = ""
    kind: str = ""
    run: str = ""
    account: str = ""
    provider: str = ""
    merchant: str = ""
    card: str = ""
    preference: str = ""
    currency: str = ""
    error: str = ""
    reference: str = ""


class RequestQueries:
    """Reads requests to gateways; a page is read by an index."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, page: ListPage, wanted: RequestFilter, *, with_totals: bool) -> Listed:
        """Return a page of requests, the newest first."""
        return await _LIST.page(self._database, page, *_filters(wanted), with_totals=with_totals)

    @staticmethod
    def statement(page: ListPage, wanted: RequestFilter) -> Columns:
        """Return the query of a page."""
        return _LIST.statement(page, *_filters(wanted))

    async def find(self, id: str) -> Row[Any] | None:
        """Return one request, or None."""
        return await self._database.read_first(REQUESTS.where(_R.id == id))


def of_merchant(merchant: str) -> tuple[ColumnElement[bool], ...]:
    """Return the filter for what was paid on a merchant's own account, whose providers are configured as its own."""
    own = select(ProviderRow.id).where(ProviderRow.merchant_id == merchant)
    # As an array it is looked at before anything is joined; and of a merchant without an account nothing is read.
    return (own.exists(), _R.provider_id == any_(func.array(own.scalar_subquery()))) if merchant else ()


def _filters(wanted: RequestFilter) -> tuple[ColumnElement[bool], ...]:
    states = (_R.state.in_(sorted(stored_states(FieldState(wanted.state)))),) if wanted.state else ()
    return (
        *states,
        *matching(_R.kind, wanted.kind),
        *matching(_R.run_id, wanted.run),
        *matching(_R.account_id, wanted.account),
        *matching(_R.provider_id, wanted.provider),
        *of_merchant(wanted.merchant),
        *matching(_R.card_id, wanted.card),
        *matching(_R.currency, wanted.currency),
        *_of_error(wanted.error),
        *_of_preference(wanted.preference),
        *_of_reference(wanted.reference),
    )


def _of_error(code: str) -> tuple[ColumnElement[bool], ...]:
    """Return the filter for an error, with the condition of its index."""
    return (_R.error_code == code, _R.error_code != literal_column("''")) if code else ()


def _of_preference(number: str) -> tuple[ColumnElement[bool], ...]:
    """Return the filter for a preference, found by its account first: of an account's requests there is an index."""
    if not number:
        return ()
    known_as = number.upper()
    account = select(PaymentPreferenceRow.account_id).where(
        PaymentPreferenceRow.number == (number_of_preference(known_as) or 0)
    )
    named = func.coalesce(FinancialTransactionRow.payment_preference, _OF_PAYMENT.payment_preference)
    return (_R.account_id == account.scalar_subquery(), named == known_as)


def _of_reference(reference: str) -> tuple[ColumnElement[bool], ...]:
    """Return the filter for what the gateway calls a request, or one of its attempts, charges or pages."""
    if not reference:
        return ()
    attempts = select(GatewayAttemptRow.request_id).where(
        or_(
            GatewayAttemptRow.gateway_reference == reference,
            GatewayAttemptRow.charge_reference == reference,
            GatewayAttemptRow.page_reference == reference,
        )
    )
    own = select(_R.id).where(_R.provider_id.in_(select(ProviderRow.id)), _R.gateway_reference == reference)
    return (_R.id.in_(attempts.union(own)),)
