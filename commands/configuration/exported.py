"""The configuration as a document that could be applied: what is configured now, whoever configured it and how."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row

from activities.configuration.document_parts.ledger_document import NONE
from models.console.approval import LimitedKind
from models.ledger.account import AccountState
from models.money import Money

Found = Mapping[str, Sequence[Row[Any]]]


def exported(found: Found) -> dict[str, Any]:
    """Return the document that changes nothing when it is applied."""
    return {
        kind: parts[0] if kind in _ONLY else parts
        for kind, rows in found.items()
        if kind != "providers" and (parts := [_PARTS.get(kind, _part)(row) for row in rows])
    } | {"providers": [provider_part(row, found) for row in found["providers"]]}


def _part(row: Row[Any]) -> dict[str, Any]:
    """Return what a row says, by the document's names."""
    names = {"is_active": "active", "tax_rate_id": "tax_rate", "is_default": "default"}
    return {names.get(name, name): value for name, value in row._asdict().items() if value is not None}


def _without(*names: str) -> Callable[[Row[Any]], dict[str, Any]]:
    return lambda row: {name: value for name, value in _part(row).items() if name not in names}


def _type(row: Row[Any]) -> dict[str, Any]:
    # A series is what it is: the document names it alone.
    return _without("gap_free", *(() if row.prefix else ("per_year",)))(row)


def _account(row: Row[Any]) -> dict[str, Any]:
    return {**_without("state")(row), "active": row.state != AccountState.TERMINATED}


def _policy(row: Row[Any]) -> dict[str, Any]:
    return {"id": row.id, **({"segment": row.segment} if row.segment else {}), **row.document}


def provider_part(row: Row[Any], found: Found) -> dict[str, Any]:
    """Return a provider as a document has it; `found` has the payment methods."""
    methods = [method.id for method in found["payment_methods"] if method.provider_id == row.id]
    return {
        **_without("merchant", "currencies", "application_fee")(row),
        **({"merchant": row.merchant} if row.merchant else {}),
        "currencies": sorted(row.currencies),
        "minimums": _in_major_units(row.currencies),
        "payment_methods": methods,
        **({"application_fee": _application_fee(row.application_fee)} if row.merchant else {}),
    }


def _application_fee(stored: Mapping[str, Any]) -> dict[str, Any] | str:
    if not stored:
        return NONE
    amounts = {name: _in_major_units(stored[f"{name}_minor"]) for name in ("fixed", "minimum", "maximum")}
    given = {name: value for name, value in amounts.items() if value}
    return {"percent": stored["percent"], **given, "refunded": stored["is_refunded"]}


def _run_definition(row: Row[Any]) -> dict[str, Any]:
    names = {"provider_id": "provider", "dunning_policy_id": "dunning_policy"}
    names |= {"window_size": "window", "page_size": "page"}
    given = {names.get(name, name): value for name, value in _part(row).items()}
    bounds = {"minimum_minor": "minimum", "maximum_minor": "maximum"}
    criteria = {
        bounds.get(name, name): _in_major_units(value) if name in bounds else value
        for name, value in row.criteria.items()
    }
    return {**given, "schedule": row.schedule or NONE, "criteria": criteria}


def _seller(row: Row[Any]) -> dict[str, Any]:
    given = {name: value for name, value in _without("attaches_documents")(row).items() if value != ""}
    return {**given, "attach_documents": row.attaches_documents}


APPROVAL_LIMITS = tuple(f"{kind}s" for kind in LimitedKind)


def _approval_rules(row: Row[Any]) -> dict[str, Any]:
    amounts = {name: getattr(row, f"{name}_minor") for name in APPROVAL_LIMITS}
    roles = {
        role: {name: _in_major_units(held) for name, held in limits.items()} for role, limits in row.roles_minor.items()
    }
    limits = {name: _in_major_units(held) for name, held in amounts.items()}
    return {**limits, "roles": roles, "expire_hours": row.expire_hours, "changes_by_two": row.changes_by_two}


def _wallet_limit(row: Row[Any]) -> dict[str, Any]:
    return {"currency": row.currency, "maximum": str(Money(row.maximum_minor, row.currency).to_decimal())}


def _wallet_top_up(row: Row[Any]) -> dict[str, Any]:
    given = {name: value for name, value in _part(row).items() if name not in {"below_minor", "amount_minor"}}
    amounts = {"below": row.below_minor, "amount": row.amount_minor}
    return {**given, **{name: str(Money(minor, row.currency).to_decimal()) for name, minor in amounts.items()}}


def _charge_rule(row: Row[Any]) -> dict[str, Any]:
    kept = {name: value for name, value in _part(row).items() if value is not None and not name.endswith("_minor")}
    amounts = {"above": row.above_minor, "first_above": row.first_above_minor, "most": row.most_minor}
    given = {name: str(Money(held, row.currency).to_decimal()) for name, held in amounts.items() if held is not None}
    return {**kept, **given}


def _in_major_units(amounts: Mapping[str, int]) -> dict[str, str]:
    return {code: str(Money(minor, code).to_decimal()) for code, minor in sorted(amounts.items())}


def _segment(row: Row[Any]) -> dict[str, Any]:
    criteria = {
        name.removesuffix("_minor"): _in_major_units(value) if name.endswith("_minor") else value
        for name, value in row.criteria.items()
    }
    return {**_part(row), "criteria": criteria}


_ONLY = frozenset({"ledger", "card_rules", "alert_rules", "refund_rules", "approval_rules", "message_rules"})
_PARTS: Mapping[str, Callable[[Row[Any]], dict[str, Any]]] = MappingProxyType(
    {
        "approval_rules": _approval_rules,
        "charge_rules": _charge_rule,
        "payment_methods": _without("provider_id"),
        "transaction_types": _type,
        "internal_accounts": _account,
        "dunning_policies": _policy,
        "reminder_rules": _without("version"),
        "run_definitions": _run_definition,
        "segments": _segment,
        "sellers": _seller,
        "statement_layouts": lambda row: {"id": row.id, **row.document},
        "wallet_limits": _wallet_limit,
        "wallet_top_ups": _wallet_top_up,
        "creditors": lambda row: {name: value for name, value in _part(row).items() if value != ""},
    }
)
