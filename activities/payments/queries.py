"""Payments through gateways as lists and pages show them, with their filters (P14, P15): read only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import Case, ColumnElement, Row, and_, case, func, not_, or_, select
from sqlalchemy.sql.selectable import LateralFromClause

from activities.database import Database, matching
from activities.listing import Columns, Listed, NewestFirst
from activities.payments.request_queries import REQUESTS, of_merchant
from models.gateway.gateway_request import AttemptChannel, AttemptOutcome, RequestKind, RequestState
from models.listing import ListPage
from models.payments.state import ACTION_CODES, REQUEST_STATES, PaymentState
from models.tables.collecting import GatewayAttemptRow, GatewayRequestRow, PaymentOrderRow, PaymentRequestRow
from models.tables.configuration import CardRow
from models.tables.transactions import FinancialTransactionRow, TransactionNumberRow

_R, _A = GatewayRequestRow, GatewayAttemptRow


def _last_attempt() -> LateralFromClause:
    """The last attempt of a request."""
    return (
        select(
            _A.attempt,
            _A.cause,
            _A.channel,
            _A.outcome,
            _A.code,
            _A.decline_code,
            _A.charge_reference,
            _A.gateway_reference,
            _A.application_fee_minor,
            _A.merchant_provider,
        )
        .where(_A.request_id == _R.id)
        .order_by(_A.attempt.desc())
        .limit(1)
        .lateral("last_attempt")
    )


_LAST = _last_attempt()
_CODE = func.coalesce(func.nullif(_LAST.c.decline_code, ""), _LAST.c.code, "")


def state_expression(state: Any, outcome: Any, code: Any, has_page: Any) -> Case[Any]:
    """Say what models/payments/state.py does (payment_state), for the database to filter by; a test compares."""
    failed = [AttemptOutcome.DECLINED, AttemptOutcome.DID_NOT_HAPPEN, AttemptOutcome.INVALID_REQUEST]
    needs_customer = and_(outcome == AttemptOutcome.DECLINED, code.in_(sorted(ACTION_CODES)))
    return case(
        (state.in_(sorted(REQUEST_STATES[PaymentState.SUCCEEDED])), PaymentState.SUCCEEDED),
        (state == RequestState.REJECTED, PaymentState.CANCELED),
        (or_(state == RequestState.UNKNOWN, outcome == AttemptOutcome.UNKNOWN), PaymentState.UNKNOWN),
        (needs_customer, PaymentState.REQUIRES_ACTION),
        (outcome.in_(failed), PaymentState.REQUIRES_PAYMENT_METHOD),
        (has_page, PaymentState.REQUIRES_ACTION),
        else_=PaymentState.PROCESSING,
    )


# An attempt has its page's id, or its payment's once a debit was given there: its bank answers, and nobody has to act.
_IS_GIVEN = func.coalesce(_LAST.c.gateway_reference, "").startswith("pi_")
_HAS_PAGE = and_(_LAST.c.channel == AttemptChannel.HOSTED_PAGE, not_(_IS_GIVEN))
_STATE = state_expression(_R.state, _LAST.c.outcome, _CODE, _HAS_PAGE)
_BY_HAND, _BY_LINK = PaymentOrderRow.id.is_not(None), PaymentRequestRow.id.is_not(None)
_KIND = case((_BY_HAND, "by_hand"), (_BY_LINK, "by_link"), (_R.run_id.is_not(None), "run"), else_="service")
# Who has asked for a payment: by columns, so that the few that are ordered by hand are found from their orders.
_OF_KIND: Mapping[str, Sequence[ColumnElement[bool]]] = MappingProxyType(
    {
        "by_hand": (_BY_HAND,),
        "run": (_R.run_id.is_not(None),),
        "by_link": (_BY_LINK,),
        # By the word: of what nobody has ordered the planner expects nothing, and joins all before it takes the newest.
        "service": (_R.run_id.is_(None), _KIND == "service"),
    }
)
_PAYMENTS = (
    select(
        _R.id,
        _R.account_id,
        _R.period,
        _STATE.label("state"),
        _KIND.label("kind"),
        _R.amount_minor,
        _R.currency,
        _R.provider_id.label("provider"),
        _R.run_id,
        PaymentOrderRow.id.label("order_id"),
        PaymentRequestRow.id.label("payment_request_id"),
        TransactionNumberRow.number,
        _R.transaction_id.label("payment_id"),
        FinancialTransactionRow.method,
        FinancialTransactionRow.payment_preference.label("preference"),
        _R.card_id,
        func.trim(func.concat(CardRow.brand, " ", CardRow.last4)).label("card"),
        _LAST.c.attempt.label("attempts"),
        _LAST.c.channel,
        func.coalesce(func.nullif(_LAST.c.decline_code, ""), func.nullif(_LAST.c.code, ""), _R.error_code).label(
            "code"
        ),
        func.coalesce(_R.gateway_reference, _LAST.c.gateway_reference).label("gateway_reference"),
        _LAST.c.charge_reference,
        func.coalesce(_LAST.c.application_fee_minor, 0).label("application_fee_minor"),
        func.coalesce(_LAST.c.merchant_provider, "").label("merchant_provider"),
        _R.invoices,
        _R.created_at,
        _R.executed_at,
    )
    .outerjoin(PaymentOrderRow, and_(PaymentOrderRow.account_id == _R.account_id, PaymentOrderRow.period == _R.period))
    .outerjoin(
        PaymentRequestRow,
        and_(PaymentRequestRow.account_id == _R.account_id, PaymentRequestRow.period == _R.period),
    )
    .outerjoin(FinancialTransactionRow, FinancialTransactionRow.id == _R.transaction_id)
    .outerjoin(TransactionNumberRow, TransactionNumberRow.transaction_id == _R.transaction_id)
    .outerjoin(CardRow, CardRow.id == _R.card_id)
    .outerjoin(_LAST, _R.id.is_not(None))
    .where(_R.kind == RequestKind.PAYMENT)
)
_LIST = NewestFirst(
    _PAYMENTS, moment=_R.created_at, key=_R.id, state=_STATE, amount=_R.amount_minor, currency=_R.currency
)
_ATTEMPTS = (
    select(
        _A.attempt,
        _A.cause,
        _A.channel,
        _A.amount_minor,
        _A.card_id,
        func.trim(func.concat(CardRow.brand, " ", CardRow.last4)).label("card"),
        _A.outcome,
        _A.code,
        _A.decline_code,
        _A.advice_code,
        _A.gateway_reference,
        _A.charge_reference,
        _A.page_reference,
        _A.started_at,
        _A.finished_at,
        _A.resolved_by,
        _A.resolution,
    )
    .outerjoin(CardRow, CardRow.id == _A.card_id)
    .order_by(_A.attempt)
)


@dataclass(frozen=True)
class PaymentFilter:
    """Which payments to list; what is empty lets all through. Amounts in minor units, which need a currency."""

    state: str = ""
    kind: str = ""
    run: str = ""
    account: str = ""
    card: str = ""
    method: str = ""
    provider: str = ""
    merchant: str = ""
    currency: str = ""
    least_minor: int | None = None
    most_minor: int | None = None


class PaymentQueries:
    """Reads payments with their attempts; a page is read by an index."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @staticmethod
    def statement(page: ListPage, wanted: PaymentFilter) -> Columns:
        """Return the query of a first page."""
        return _LIST.statement(page, *_filters(wanted))

    async def page(self, page: ListPage, wanted: PaymentFilter, *, with_totals: bool) -> Listed:
        """Return a page of payments, the newest first."""
        return await _LIST.page(self._database, page, *_filters(wanted), with_totals=with_totals)

    async def payments(self, ids: Sequence[str], limit: int) -> Sequence[Row[Any]]:
        """Return payments by the ids of their requests, the newest first."""
        found = _PAYMENTS.where(_R.id.in_(ids)).order_by(_R.created_at.desc(), _R.id.desc())
        return await self._database.read(found.limit(limit))

    async def of_receivable(self, account_id: str, period: str) -> Row[Any] | None:
        """Return the payment of a receivable, or None while it has none."""
        return await self._database.read_first(_PAYMENTS.where(_R.account_id == account_id, _R.period == period))

    async def returns(self, request_id: str) -> Sequence[Row[Any]]:
        """Return what was given back of a payment: refunds and cancellations."""
        given_back = REQUESTS.where(_R.of_request_id == request_id).order_by(_R.created_at)
        return await self._database.read(given_back)

    async def request_of(self, provider: str | None, reference: str | None) -> Row[Any] | None:
        """Return the request, its id and kind, of which a gateway's object came; None where none of ours did."""
        if not (provider and reference):
            return None
        known = select(_R.id, _R.kind).where(_R.provider_id == provider, _R.gateway_reference == reference)
        return await self._database.read_first(known)

    async def attempts(self, request_id: str) -> Sequence[Row[Any]]:
        """Return the attempts of a request in order."""
        return await self._database.read(_ATTEMPTS.where(_A.request_id == request_id))


def _filters(wanted: PaymentFilter) -> Sequence[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = [
        *matching(_R.run_id, wanted.run),
        *matching(_R.account_id, wanted.account),
        *matching(_R.card_id, wanted.card),
        *matching(_R.provider_id, wanted.provider),
        *of_merchant(wanted.merchant),
        *matching(_R.currency, wanted.currency),
    ]
    if wanted.state:
        # What is stored comes first: of that there is an index.
        filters += [_R.state.in_(sorted(REQUEST_STATES[PaymentState(wanted.state)])), _STATE.in_((wanted.state,))]
    if wanted.kind:
        filters += _OF_KIND[wanted.kind]
    if wanted.method:
        filters.append(FinancialTransactionRow.method == wanted.method)
    if wanted.least_minor is not None:
        filters.append(_R.amount_minor >= wanted.least_minor)
    if wanted.most_minor is not None:
        filters.append(_R.amount_minor <= wanted.most_minor)
    return filters
