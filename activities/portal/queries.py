"""What a customer sees of their own account. Every read is by the account of the session, and finds no other's."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Row, cast, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from activities.database import Database
from models.cards.card import CardState
from models.gateway.gateway_request import FINAL_OUTCOMES, AttemptChannel, AttemptOutcome
from models.ledger.account import AccountKind
from models.ledger.transaction import Classification, Side
from models.tables.accounts import AccountRow, PostalAddressRow
from models.tables.collecting import ClaimRow, CollectionRow, GatewayAttemptRow, GatewayRequestRow, PaymentRequestRow
from models.tables.configuration import CardRow, PaymentPreferenceRow, ProviderMethodRow
from models.tables.ledger import OpenItemRow
from models.tables.messages import MailStopRow
from models.tables.transactions import FinancialTransactionRow
from models.tables.views import TransactionView

_T = TransactionView
_NUMBER = cast(func.substr(_T.id, literal_column("4")), BigInteger)
_DOCUMENTS = select(
    _T.id,
    _T.number,
    _T.classification,
    _T.state,
    _T.posted_on,
    _T.due_on,
    _T.total_minor,
    _T.currency,
    _T.unsettled_minor,
).where(_T.posted_on.is_not(None))

# What moves money, of what is posted: the rest asks for it.
PAYMENTS = ("payment", "payment_cancellation", "refund")
_GONE = (CardState.REMOVED, CardState.REPLACED, CardState.REJECTED)


class PortalQueries:
    """Reads what is of one account."""

    def __init__(self, database: Database, account_id: str) -> None:
        self._database = database
        self._account_id = account_id

    async def is_out_of_mail(self) -> bool:
        """Whether the customer gets no mail that neither law nor contract requires."""
        stop = select(MailStopRow.since).where(MailStopRow.account_id == self._account_id)
        return await self._database.read_first(stop.where(MailStopRow.kind == "opted_out")) is not None

    async def documents(self, kinds: Sequence[str], *, before: int, limit: int) -> Sequence[Row[Any]]:
        """Return posted documents of some kinds older than a number of the sequence, the newest first."""
        of_account = _DOCUMENTS.where(_T.account_id == self._account_id, _T.classification.in_(kinds))
        return await self._database.read(of_account.where(before > _NUMBER).order_by(_NUMBER.desc()).limit(limit))

    async def document(self, id: str) -> Row[Any] | None:
        """Return a posted document of the account by its id; None for what is another's, or a draft."""
        return await self._database.read_first(_DOCUMENTS.where(_T.account_id == self._account_id, _T.id == id))

    async def cards(self) -> Sequence[Row[Any]]:
        """Return the cards that are in use, in the order in which they are charged."""
        row = CardRow
        cards = select(
            *(row.id, row.provider_id, row.brand, row.last4, row.exp_month, row.exp_year, row.state),
            *(row.fallback_order, PaymentPreferenceRow.payment_method_id.label("method")),
        ).join(PaymentPreferenceRow, PaymentPreferenceRow.id == row.preference_id)
        mine = cards.where(row.account_id == self._account_id, row.state.not_in(_GONE))
        return await self._database.read(mine.order_by(row.fallback_order, row.id))

    async def had_card(self, id: str) -> bool:
        """Tell whether a card was this account's, and is not in use any more."""
        row = CardRow
        mine = select(row.id).where(row.id == id, row.account_id == self._account_id, row.state.in_(_GONE))
        return await self._database.read_first(mine) is not None

    async def provider_of_preference(self) -> Row[Any] | None:
        """Return the provider and method by which the account pays, where a provider takes it."""
        row, way = ProviderMethodRow, PaymentPreferenceRow
        found = select(row.provider_id, row.payment_method_id.label("method"))
        mine = found.join(way, way.payment_method_id == row.payment_method_id)
        return await self._database.read_first(
            mine.where(way.account_id == self._account_id, way.is_default).order_by(row.provider_id).limit(1)
        )

    async def claimed(self) -> Sequence[Row[Any]]:
        """Return which invoices somebody asks for already: by which receivable, and by which request for a payment.

        `is_on_page`: a payment has no final answer yet, and its customer pays on a page, or not; None: there is none.
        """
        row, requested = ClaimRow, PaymentRequestRow
        asked, tried = GatewayRequestRow, GatewayAttemptRow
        outstanding = or_(tried.outcome.is_(None), tried.outcome.not_in(FINAL_OUTCOMES))
        is_on_page = (
            select(func.bool_and(tried.channel == AttemptChannel.HOSTED_PAGE))
            .join(asked, tried.request_id == asked.id)
            .where(asked.account_id == row.account_id, asked.period == row.period, outstanding)
            .correlate(row)
            .scalar_subquery()
        )
        claims = select(
            row.invoice_id, row.period, requested.id.label("request_id"), is_on_page.label("is_on_page")
        ).outerjoin(requested, (requested.account_id == row.account_id) & (requested.period == row.period))
        return await self._database.read(claims.where(row.account_id == self._account_id))

    async def came_after_its_end(self) -> int:
        """Return what came in for the account after it had ended, and waits for a decision: in minor units (Q12)."""
        paid, left, of = FinancialTransactionRow, OpenItemRow, AccountRow
        money = (
            select(func.sum(left.amount_minor - left.allocated_minor).label("minor"))
            .join(paid, paid.id == left.transaction_id)
            .join(of, of.id == left.account_id)
            .where(of.kind == AccountKind.SUSPENSE, left.side == Side.CREDIT, left.allocated_minor < left.amount_minor)
            .where(paid.intended_account_id == self._account_id, paid.classification == Classification.PAYMENT)
        )
        found = await self._database.read_first(money)
        return int(found.minor or 0) if found else 0

    async def declined(self) -> Sequence[Row[Any]]:
        """Return what was declined last of each receivable that is still collected, the newest first, of three."""
        tried, asked, card, open_ = GatewayAttemptRow, GatewayRequestRow, CardRow, CollectionRow
        last = (
            select(
                *(tried.request_id, tried.sent_at, tried.amount_minor, asked.currency, card.brand, card.last4),
                *(tried.code, tried.decline_code, tried.advice_code, tried.network_decline_code, tried.outcome),
            )
            .join(asked, asked.id == tried.request_id)
            .join(open_, (open_.account_id == asked.account_id) & (open_.period == asked.period))
            .outerjoin(card, card.id == tried.card_id)
            .where(asked.account_id == self._account_id, open_.closed_at.is_(None))
            .ext(distinct_on(tried.request_id))
            .order_by(tried.request_id, tried.attempt.desc())
            .subquery()
        )
        found = select(last).where(last.c.outcome == AttemptOutcome.DECLINED).order_by(last.c.sent_at.desc())
        return await self._database.read(found.limit(3))

    async def address(self) -> Row[Any] | None:
        """Return to whom documents are made out, where that is set."""
        row = PostalAddressRow
        return await self._database.read_first(
            select(
                *(row.name, row.street, row.addition, row.postal_code, row.city, row.country, row.vat_id, row.reference)
            ).where(row.account_id == self._account_id)
        )
