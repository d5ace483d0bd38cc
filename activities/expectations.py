"""Which movements of the gateway are overdue: one whose absence a person has explained is waited for no more."""

from sqlalchemy import ColumnElement, and_, exists, func

from models.reconciliation.discrepancy import DiscrepancyState
from models.tables.movements import GatewayExpectationRow as Expected
from models.tables.reconciliation import DiscrepancyRow as Found

IS_EXPLAINED: ColumnElement[bool] = exists().where(
    Found.object == Expected.object,
    Found.provider_id == Expected.provider_id,
    Found.kind == func.concat("missing_", Expected.kind),
    Found.state == DiscrepancyState.RESOLVED,
)
IS_OVERDUE = and_(Expected.movement.is_(None), Expected.overdue_at <= func.now(), ~IS_EXPLAINED)
