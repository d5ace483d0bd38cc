"""`expand`: ids in an answer replaced by the objects they name, and lists that come on request only."""

from sandbox.stripe.errors import ApiError, invalid_parameter
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.store import Table
from sandbox.stripe.world import World

_DEPTH_MAX = 4


def expanded(world: World, answer: Json, paths: list[str]) -> Json:
    """The answer with every path expanded; the stored objects are left as they are."""
    for path in paths:
        names = path.split(".")
        if len(names) > _DEPTH_MAX:
            raise invalid_parameter(f"You cannot expand more than {_DEPTH_MAX} levels of a property: {path}", "expand")
        answer = _grown(world, answer, names, path)
    return answer


def _grown(world: World, node: Json, names: list[str], path: str) -> Json:
    name, rest = names[0], names[1:]
    if name == "data" and node.get("object") == "list" and rest:
        return node | {"data": [_grown(world, row, rest, path) for row in node["data"]]}
    child = _child(world, node, name, path)
    if isinstance(child, dict) and rest:
        child = _grown(world, child, rest, path)
    return node | {name: child}


def _child(world: World, node: Json, name: str, path: str) -> Json | None:
    if (node.get("object"), name) in _LISTS:
        return _LISTS[node["object"], name](world, node)
    if name not in node:
        raise _not_expandable(path)
    value = node[name]
    if value is None or isinstance(value, dict):
        return value
    table = _tables(world).get(value.split("_")[0]) if isinstance(value, str) else None
    if table is None:
        raise _not_expandable(path)
    return table.find(value)


def _not_expandable(path: str) -> ApiError:
    return invalid_parameter(f"This property cannot be expanded ({path}).", "expand")


def _tables(world: World) -> dict[str, Table]:
    return {
        "ch": world.charges,
        "cus": world.customers,
        "dp": world.disputes,
        "du": world.disputes,
        "mandate": world.mandates,
        "pi": world.payment_intents,
        "pm": world.payment_methods,
        "re": world.refunds,
        "seti": world.setup_intents,
        "txn": world.balance_transactions,
    }


def _refunds_of_charge(world: World, charge: Json) -> Json:
    rows = list(reversed(world.refunds.by("charge", charge["id"])))
    url = f"/v1/charges/{charge['id']}/refunds"
    return {"object": "list", "data": rows[:10], "has_more": len(rows) > 10, "url": url}


def _line_items_of_session(world: World, session: Json) -> Json:
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return {"object": "list", "data": world.line_items.get(session["id"], []), "has_more": False, "url": url}


_LISTS = {
    ("charge", "refunds"): _refunds_of_charge,
    ("checkout.session", "line_items"): _line_items_of_session,
}
