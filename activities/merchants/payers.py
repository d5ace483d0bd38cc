"""Accounts whose payments the platform takes for a merchant, and what of these has not followed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select

from activities.database import Database
from models.tables.collecting import GatewayRequestRow
from models.tables.configuration import ProviderRow
from models.tables.merchants.payments import MerchantPayerRow, MerchantTransferRow

# More than these are the first of many.
SHOWN_AT_MOST = 50

_P = MerchantPayerRow
_T = MerchantTransferRow


class MerchantPayers:
    """Assigns accounts to merchants, and reads what came of that."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def assign(self, merchant: str, account: str, *, actor: str, reason: str) -> bool:
        """Take an account's payments for a merchant from now on; return whether that was so. Raises RuleBrokenError."""
        return await self._change("assign_payer", merchant, account, actor, reason)

    async def release(self, merchant: str, account: str, *, actor: str, reason: str) -> bool:
        """Take them for the platform again; return whether that was so."""
        return await self._change("release_payer", merchant, account, actor, reason)

    async def _change(self, function: str, merchant: str, account: str, actor: str, reason: str) -> bool:
        return bool(
            await self._database.call(function, merchant_id=merchant, account_id=account, actor=actor, reason=reason)
        )

    async def count(self, merchant: str) -> int:
        """Count the accounts that pay for a merchant now."""
        rows = await self._database.read(
            select(func.count()).select_from(_P).where(_P.merchant_id == merchant, _P.ended_at.is_(None))
        )
        return int(rows[0][0])

    async def owed(self, merchant: str) -> Sequence[Row[Any]]:
        """Return what the platform owes a merchant and has not passed on, by currency, in minor units."""
        return await self._database.rows("select * from duly.owed_to_merchant(:merchant)", merchant=merchant)

    async def unsettled(self, merchant: str) -> Sequence[Row[Any]]:
        """Return payments whose transfers have not followed, the oldest first, amounts in minor units."""
        return await self._database.read(
            select(
                _T.request_id,
                _T.state,
                _T.code,
                _T.captured_minor,
                _T.refunded_minor,
                _T.lost_minor,
                _T.currency,
                GatewayRequestRow.gateway_reference,
                _T.next_try_at,
            )
            .join(GatewayRequestRow, GatewayRequestRow.id == _T.request_id)
            .join(ProviderRow, ProviderRow.id == _T.merchant_provider_id)
            .where(ProviderRow.merchant_id == merchant, _T.state != "settled")
            .order_by(_T.id)
            .limit(SHOWN_AT_MOST)
        )
