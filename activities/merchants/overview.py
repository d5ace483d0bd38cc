"""What people read of a merchant in one place: its providers, its book, its transfers and open discrepancies."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, or_, select

from activities.database import Database, one_of
from models.tables.collecting import GatewayRequestRow
from models.tables.configuration import ProviderRow
from models.tables.merchants.payments import MerchantPayerRow, MerchantTransferMoveRow, MerchantTransferRow
from models.tables.reconciliation import DiscrepancyRow

# More than these are the first of many.
SHOWN_AT_MOST = 50

_D, _M, _P, _T = DiscrepancyRow, MerchantTransferMoveRow, MerchantPayerRow, MerchantTransferRow
_MOVES = select(
    _M.place,
    _M.kind,
    _M.cause,
    _M.amount_minor,
    _T.currency,
    _M.state,
    _M.code,
    _M.of_reference,
    _M.gateway_reference,
    _M.connected_reference,
    _M.sent_at,
    _M.finished_at,
).join(_T, _T.id == _M.transfer_id)


class MerchantOverview:
    """Reads what belongs to a merchant. Amounts in minor units, moments in UTC."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def providers(self, merchant: str) -> Sequence[Row[Any]]:
        """Return the providers of a merchant's accounts, and why nothing may be passed to each or charged there."""
        return await self._database.read(
            select(
                ProviderRow.id,
                ProviderRow.gateway_account,
                ProviderRow.application_fee,
                func.duly.why_not_connected(ProviderRow.id).label("why_not"),
            )
            .where(ProviderRow.merchant_id == merchant)
            .order_by(ProviderRow.created_at, ProviderRow.id)
        )

    async def balances(self, providers: Sequence[str]) -> Sequence[Row[Any]]:
        """Return what lies at the gateway by these providers' books, was taken and not passed on, by currency."""
        return await self._database.rows(
            "select split_part(ledger_account, ':', 1) as account, currency,"
            " sum(debit_minor - credit_minor)::bigint as minor from duly.trial_balance()"
            " where split_part(ledger_account, ':', 1) in ('gateway_clearing', 'platform_fees', 'merchant_payables')"
            " and split_part(ledger_account, ':', 2) = any (:providers)"
            " group by 1, 2 having sum(debit_minor - credit_minor) <> 0 order by 1, 2",
            providers=list(providers),
        )

    async def payers(self, merchant: str) -> Sequence[Row[Any]]:
        """Return the accounts that pay for a merchant now, the newest first."""
        return await self._database.read(
            select(_P.account_id, _P.assigned_at, _P.assigned_by, _P.assigned_because)
            .where(_P.merchant_id == merchant, _P.ended_at.is_(None))
            .order_by(_P.id.desc())
            .limit(SHOWN_AT_MOST)
        )

    async def transfers(self, providers: Sequence[str]) -> Sequence[Row[Any]]:
        """Return payments that were taken for a merchant: those that have not followed first, then the newest."""
        return await self._database.read(
            select(
                _T.request_id,
                _T.state,
                _T.code,
                _T.captured_minor,
                _T.refunded_minor,
                _T.lost_minor,
                _T.currency,
                _T.next_try_at,
                _T.created_at,
                GatewayRequestRow.account_id,
            )
            .join(GatewayRequestRow, GatewayRequestRow.id == _T.request_id)
            .where(one_of(_T.merchant_provider_id, providers))
            .order_by((_T.state == "settled"), _T.id.desc())
            .limit(SHOWN_AT_MOST)
        )

    async def moves(self, request_id: str) -> Sequence[Row[Any]]:
        """Return a payment's transfers and what was taken back of them, in their order; also what was refused."""
        return await self._database.read(_MOVES.where(_T.request_id == request_id).order_by(_M.place))

    async def discrepancies(self, providers: Sequence[str]) -> Sequence[Row[Any]]:
        """Return open discrepancies of a merchant's accounts, and of what was to be passed on, the newest first."""
        return await self._database.read(
            select(_D.id, _D.kind, _D.object, _D.amount_minor, _D.currency, _D.evidence, _D.first_seen_at)
            .where(
                _D.state == "open",
                or_(one_of(_D.provider_id, providers), one_of(_D.evidence["merchant"].astext, providers)),
            )
            .order_by(_D.first_seen_at.desc(), _D.id)
            .limit(SHOWN_AT_MOST)
        )
