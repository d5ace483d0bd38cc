"""Customers: who pays."""

import re
from typing import Any

from stripe import Customer

from sandbox.stripe.api.errors import invalid_parameter, missing_object
from sandbox.stripe.api.fields import blank
from sandbox.stripe.api.listing import listed
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.objects.cards import payment_methods
from sandbox.stripe.state.account_state import AccountState, changed, merge_metadata

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_COPIED = ("address", "description", "email", "name", "phone", "shipping", "preferred_locales", "tax_exempt")


def create(state: AccountState, params: Json) -> Json:
    """A new customer, with a first card when one is given."""
    _check_email(params)
    id = state.ids.new("cus")
    customer: Json = blank(Customer) | {
        "id": id,
        "balance": 0,
        "created": state.clock.now(),
        "delinquent": False,
        "invoice_prefix": id[-8:].upper(),
        "invoice_settings": _invoice_settings({}, params),
        "metadata": merge_metadata({}, params.get("metadata", {})),
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
    }
    customer |= {name: params[name] for name in _COPIED if name in params}
    if "payment_method" in params:
        payment_methods.check_attachable(state, params["payment_method"])
    state.customers.insert(customer)
    state.emit("customer.created", customer)
    if "payment_method" in params:
        payment_methods.attach_to(state, params["payment_method"], customer)
    return customer


def _check_email(params: Json) -> None:
    email = params.get("email")
    if email and not _EMAIL.fullmatch(email):
        raise invalid_parameter(f"Invalid email address: {email}", "email", "email_invalid")


def _invoice_settings(current: Json, params: Json) -> Json:
    unset = dict.fromkeys(("custom_fields", "default_payment_method", "footer", "rendering_options"))
    settings: Json = unset | current | params.get("invoice_settings", {})
    return settings


def retrieve(state: AccountState, _params: Json, id: str) -> Json:
    """The customer, or what is left of a deleted one."""
    customer = state.customers.get(id)
    return _deleted(id) if "deleted" in customer else customer


def update(state: AccountState, params: Json, id: str) -> Json:
    """Changes who the customer is, or which card is the default."""
    customer = _live(state, id)
    _check_email(params)
    before = dict(customer)
    default = params.get("invoice_settings", {}).get("default_payment_method")
    if default is not None:
        _check_own_method(state, customer, default)
    customer |= {name: params[name] for name in _COPIED if name in params}
    if "metadata" in params:
        customer["metadata"] = merge_metadata(customer["metadata"], params["metadata"])
    customer["invoice_settings"] = _invoice_settings(customer["invoice_settings"], params)
    state.customers.index(customer, "email")
    previous = changed(before, customer, *_COPIED, "metadata", "invoice_settings")
    if previous:
        state.emit("customer.updated", customer, previous)
    return customer


def _check_own_method(state: AccountState, customer: Json, method: str) -> None:
    found = state.payment_methods.find(method)
    if found is None or found["customer"] != customer["id"]:
        raise missing_object("PaymentMethod", method, param="invoice_settings[default_payment_method]", in_path=False)


def delete(state: AccountState, _params: Json, id: str) -> Json:
    """Deletes the customer for good; its cards are detached, its payments stay."""
    customer = _live(state, id)
    for method in state.payment_methods.by("customer", id):
        payment_methods.detach(state, {}, method["id"])
    state.emit("customer.deleted", customer)
    customer["deleted"] = True
    return _deleted(id)


def _deleted(id: str) -> Json:
    return {"id": id, "object": "customer", "deleted": True}


def _live(state: AccountState, id: str) -> Json:
    customer = state.customers.get(id)
    if "deleted" in customer:
        raise missing_object("customer", id)
    return customer


def referenced(state: AccountState, id: str) -> Json:
    """The customer that a parameter names: existing and not deleted."""
    customer = state.customers.referenced(id, param="customer")
    if "deleted" in customer:
        raise missing_object("customer", id, param="customer", in_path=False)
    return customer


def list_all(state: AccountState, params: Json) -> Json:
    """Customers that are not deleted."""
    filters: dict[str, Any] = {**params, "deleted": None}
    return listed(state.customers, filters, url="/v1/customers")
