"""`expand`: ids in an answer replaced by the objects they name, and lists that come on request only."""

import typing
from collections.abc import Callable
from typing import Any

from stripe import ListObject, StripeObject

from sandbox.stripe.api.errors import ApiError, invalid_parameter
from sandbox.stripe.api.fields import annotations_of
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.state.account_state import AccountState
from sandbox.stripe.state.tables import Table

_DEPTH_MAX = 4


def check_paths(resource: type[StripeObject], paths: list[str], *, in_list: bool) -> None:
    """Refuses what the SDK's classes do not know as a reference or a list, before anything is executed."""
    for path in paths:
        names = path.split(".")
        if len(names) > _DEPTH_MAX:
            raise invalid_parameter(f"You cannot expand more than {_DEPTH_MAX} levels of a property: {path}", "expand")
        if in_list and names.pop(0) != "data":
            raise _not_expandable(path)
        if not _leads_somewhere(resource, names):
            raise _not_expandable(path)


def _leads_somewhere(resource: type[StripeObject], names: list[str]) -> bool:
    """Whether the names lead from the resource to a reference (an id or its object) or to a list."""
    if not names:
        return False
    members = _members(annotations_of(resource).get(names[0]))
    rest = names[1:]
    objects = [member for member in members if isinstance(member, type) and issubclass(member, StripeObject)]
    rows = [typing.get_args(member)[0] for member in members if typing.get_origin(member) is ListObject]
    if not rest:
        return bool(rows) or (str in members and bool(objects))
    if rows:
        return rest[0] == "data" and _leads_somewhere(rows[0], rest[1:])
    return any(_leads_somewhere(each, rest) for each in objects)


def _members(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if typing.get_origin(hint) is typing.Union else (hint,)


def _not_expandable(path: str) -> ApiError:
    return invalid_parameter(f"This property cannot be expanded ({path}).", "expand")


def expanded(state: AccountState, answer: Json, paths: list[str]) -> Json:
    """The answer with every checked path expanded; the stored objects are left as they are."""
    for path in paths:
        answer = _grown(state, answer, path.split("."))
    return answer


def _grown(state: AccountState, node: Json, names: list[str]) -> Json:
    name, rest = names[0], names[1:]
    if name == "data" and node.get("object") == "list":
        return node | {"data": [_grown(state, row, rest) if rest else row for row in node["data"]]}
    if name not in node and (node.get("object"), name) not in _FOUND_ELSEWHERE:
        return node
    child = _child(state, node, name)
    if isinstance(child, dict) and rest:
        child = _grown(state, child, rest)
    return node | {name: child}


def _child(state: AccountState, node: Json, name: str) -> Any:
    """What the field stands for; null and what the sandbox has no table of stay as they are."""
    if (node.get("object"), name) in _FOUND_ELSEWHERE:
        return _FOUND_ELSEWHERE[node["object"], name](state, node)
    value = node.get(name)
    table = _tables(state).get(value.split("_")[0]) if isinstance(value, str) else None
    return value if table is None else table.find(value)


def _tables(state: AccountState) -> dict[str, Table]:
    return {
        "ch": state.charges,
        "py": state.charges,
        "cus": state.customers,
        "dp": state.disputes,
        "fee": (state.platform or state).application_fees,
        "fr": (state.platform or state).application_fee_refunds,
        "du": state.disputes,
        "mandate": state.mandates,
        "pi": state.payment_intents,
        "pm": state.payment_methods,
        "po": state.payouts,
        "pyr": state.refunds,
        "re": state.refunds,
        "setatt": state.setup_attempts,
        "seti": state.setup_intents,
        "tr": (state.platform or state).transfers,
        "trr": (state.platform or state).transfer_reversals,
        "txn": state.balance_transactions,
    }


def _refunds_of_charge(state: AccountState, charge: Json) -> Json:
    rows = list(reversed(state.refunds.by("charge", charge["id"])))
    url = f"/v1/charges/{charge['id']}/refunds"
    return {"object": "list", "data": rows[:10], "has_more": len(rows) > 10, "url": url}


def _line_items_of_session(state: AccountState, session: Json) -> Json:
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return {"object": "list", "data": state.line_items.get(session["id"], []), "has_more": False, "url": url}


def _charge_of_fee(state: AccountState, fee: Json) -> Json | str:
    """The charge on the connected account, as far as that lets its platform in."""
    owner = state.connected_state(fee["account"]) if state.connected_state is not None else state
    return str(fee["charge"]) if owner.is_shut_out else owner.charges.get(fee["charge"])


def _payment_of_transfer(state: AccountState, transfer: Json) -> Json | str:
    """What came to the connected account, as far as that lets its platform in."""
    owner = state.connected_state(transfer["destination"]) if state.connected_state is not None else state
    payment = str(transfer["destination_payment"])
    return payment if owner.is_shut_out else owner.charges.get(payment)


_FOUND_ELSEWHERE: dict[tuple[str, str], Callable[[AccountState, Json], Any]] = {
    ("application_fee", "charge"): _charge_of_fee,
    ("charge", "refunds"): _refunds_of_charge,
    ("checkout.session", "line_items"): _line_items_of_session,
    ("transfer", "destination_payment"): _payment_of_transfer,
}
