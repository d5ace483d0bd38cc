"""What each source of reports is read from: a view, or what a function says of the end of a day."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Text,
    and_,
    case,
    column,
    func,
    literal,
    select,
)

from models.gateway.decline import CLASS_OF_CODE, Advice, DeclineClass
from models.reports.columns import ColumnKind
from models.reports.periods import DaySpan
from models.reports.source import Source
from models.tables.reports.books import (
    ReportBalanceView,
    ReportDocumentView,
    ReportEntryView,
    ReportLineView,
    ReportReceiptView,
    ReportSealView,
    ReportTaxView,
    ReportTransferView,
)
from models.tables.reports.gateways import (
    ReportApplicationFeeView,
    ReportAttemptView,
    ReportReceivableView,
    ReportReturnView,
)
from models.tables.reports.prepaid import ReportDebitView, ReportVoucherView, ReportWalletView
from models.tables.reports.snapshots import ReportLifetimeView, ReportMrrView

_VIEWS = {
    "documents": ReportDocumentView,
    "lines": ReportLineView,
    "taxes": ReportTaxView,
    "receipts": ReportReceiptView,
    "entries": ReportEntryView,
    "transfers": ReportTransferView,
    "seals": ReportSealView,
    "balances": ReportBalanceView,
    "wallets": ReportWalletView,
    "vouchers": ReportVoucherView,
    "debits": ReportDebitView,
    "attempts": ReportAttemptView,
    "receivables": ReportReceivableView,
    "application_fees": ReportApplicationFeeView,
    "returns": ReportReturnView,
    "returns_by_payment": ReportReturnView,
    "mrr": ReportMrrView,
    "lifetime": ReportLifetimeView,
}
_TYPES: Mapping[ColumnKind, Any] = {
    ColumnKind.DAY: Date,
    ColumnKind.MONTH: Date,
    ColumnKind.NUMBER: Integer,
    ColumnKind.MONEY: BigInteger,
}
_AGEING = ("not_due_minor", "days_30_minor", "days_60_minor", "days_90_minor", "older_minor")


def rows_of(source: Source, days: DaySpan) -> FromClause:
    """Return what a source is read from: a view, or what a function says of the end of the last day."""
    if source.name in _VIEWS:
        known = _VIEWS[source.name].__table__
        return _with_decline_class(known) if "decline_class" in source.columns else known
    named = [column(name, _TYPES.get(kind, Text)) for name, kind in source.columns.items()]
    if source.name == "ageing":
        amounts = [column(name, BigInteger) for name in _AGEING]
        return func.duly.report_ageing(days.last).table_valued(*named, *amounts, name="ageing")
    if source.name == "at_risk":
        return func.duly.report_at_risk(days.last).table_valued(*named, name="at_risk")
    return func.duly.report_trial_balance(days.last).table_valued(*named, name="trial_balance")


def _with_decline_class(known: FromClause) -> FromClause:
    """Add the class of a decline to rows with its codes."""
    return select(*known.c, decline_class(known.c).label("decline_class")).subquery(known.description)


def decline_class(codes: Any) -> ColumnElement[str]:
    """Return the class of the decline whose codes are columns, and nothing where there was none.

    It says what models/gateway/decline.py does (classify); a test compares.
    """
    by_code = {kind: [code for code, of in CLASS_OF_CODE.items() if of is kind] for kind in DeclineClass}
    reason = case((codes.decline_code != "", codes.decline_code), else_=codes.code)
    by_reason = [(reason.in_(known), literal(kind.value)) for kind, known in by_code.items()]
    by_base = [(codes.code.in_(known), literal(kind.value)) for kind, known in by_code.items()]
    kind = case(*by_reason, *by_base, else_=DeclineClass.SOFT.value)
    stands = kind.in_([DeclineClass.FRAUD.value, DeclineClass.ACTION_REQUIRED.value])
    is_later = and_(codes.advice_code == Advice.TRY_AGAIN_LATER.value, kind == DeclineClass.HARD.value)
    is_never = codes.advice_code.in_([Advice.DO_NOT_TRY_AGAIN.value, Advice.CONFIRM_CARD_DATA.value])
    return case(
        (reason == "", literal("")),
        (stands, kind),
        (is_never, DeclineClass.HARD.value),
        (is_later, DeclineClass.SOFT.value),
        else_=kind,
    )
