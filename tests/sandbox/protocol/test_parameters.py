"""Parameters are checked against the SDK's own types: what they take is taken, what they do not is refused."""

import string
import typing
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stripe import InvalidRequestError, RequestOptions, StripeClient, StripeObject
from stripe._encode import _api_encode
from typing_extensions import is_typeddict

from sandbox.stripe.api.errors import ApiError
from sandbox.stripe.api.operations import OPERATIONS
from sandbox.stripe.api.parameters import decode, shape
from tests.sandbox.contract import payer

SDK_NAMES = {"StripeContext": object, "Mapping": dict}
TYPES = tuple(dict.fromkeys(typed_dict for *_, typed_dict in OPERATIONS))
WORDS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=12)
# Large types nest deeply, and few examples of each reach every kind of field there is.
EXAMPLES = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """What the SDK's type allows the caller to pass."""
    origin, members = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.NotRequired, typing.Required}:
        return values_of(members[0])
    if origin is typing.Literal:
        return st.sampled_from(members)
    if origin is list:
        return st.lists(values_of(members[0]), min_size=1, max_size=2)
    if origin is dict:
        return st.dictionaries(WORDS, values_of(members[1]), min_size=1, max_size=2)
    if origin in {typing.Union, UnionType}:
        return values_of_union(members)
    if is_typeddict(hint):
        return st.deferred(lambda: dictionaries_of(hint))
    return SCALARS[hint]


SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: WORDS,
    int: st.integers(-(10**12), 10**12),
    bool: st.booleans(),
    Decimal: st.decimals(0, 100, places=2),
    float: st.decimals(0, 100, places=2),
    datetime: st.integers(0, 2**31),
    object: WORDS,
}


def values_of_union(members: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    plain = [member for member in members if not _is_object(member)]
    has_words = any(typing.get_args(member) != ("",) for member in plain if typing.get_origin(member) is typing.Literal)
    # `Literal[...] | str` is the SDK's way of outliving new values; the API itself knows only those listed.
    return st.one_of([values_of(member) for member in plain if not (member is str and has_words)])


def _is_object(member: Any) -> bool:
    plain = typing.get_origin(member) or member
    return isinstance(plain, type) and issubclass(plain, StripeObject)


@cache
def dictionaries_of(typed_dict: Any) -> st.SearchStrategy[dict[str, Any]]:
    hints = typing.get_type_hints(typed_dict, localns=SDK_NAMES, include_extras=True)
    own = {name: hint for name, hint in hints.items() if name not in RequestOptions.__annotations__}
    required = {name: values_of(own[name]) for name in typed_dict.__required_keys__ if name in own}
    optional = {name: values_of(hint) for name, hint in own.items() if name not in required}
    # A form has no way to say "an empty hash": what nothing is required of gets at least one field.
    least = 0 if required else 1
    names = st.lists(st.sampled_from(sorted(optional)), min_size=least, max_size=4, unique=True)
    return (names if optional else st.just([])).flatmap(
        lambda chosen: st.fixed_dictionaries(required | {name: optional[name] for name in chosen})
    )


def encoded(params: dict[str, Any]) -> bytes:
    """The parameters as the SDK sends them."""
    return urlencode(list(_api_encode(params))).encode()


@pytest.mark.parametrize("typed_dict", TYPES, ids=lambda each: each.__name__)
@EXAMPLES
@given(data=st.data())
def test_what_the_sdk_takes_is_taken(typed_dict: type, data: st.DataObject) -> None:
    params = data.draw(dictionaries_of(typed_dict))

    sent = decode(encoded(params))

    checked = shape(typed_dict).check(sent)

    assert checked.keys() == sent.keys()


@pytest.mark.parametrize("typed_dict", TYPES, ids=lambda each: each.__name__)
def test_an_unknown_parameter_is_refused(typed_dict: type) -> None:
    with pytest.raises(ApiError, match="Received unknown parameter: duly_surprise"):
        shape(typed_dict).check({"duly_surprise": "1"})


@pytest.mark.parametrize("typed_dict", TYPES, ids=lambda each: each.__name__)
def test_a_missing_parameter_is_refused(typed_dict: Any) -> None:
    needed = typed_dict.__required_keys__ - RequestOptions.__annotations__.keys()
    checks = shape(typed_dict)

    refusals = []
    for _ in needed:
        with pytest.raises(ApiError) as refused:
            checks.check({})
        refusals.append(refused.value.body()["error"]["code"])

    assert refusals == ["parameter_missing"] * len(needed)


@pytest.mark.parametrize(
    ("params", "param", "code", "message"),
    [
        ({"amount": "ten"}, "amount", "parameter_invalid_integer", "Invalid integer: ten"),
        ({"amount": "1.5"}, "amount", "parameter_invalid_integer", "Invalid integer: 1.5"),
        ({"confirm": "yes"}, "confirm", None, "Invalid boolean: yes"),
        ({"customer": ""}, "customer", "parameter_invalid_empty", "You passed an empty string for 'customer'"),
        ({"customer": {"id": "cus_1"}}, "customer", None, "Invalid string"),
        ({"metadata": "a"}, "metadata", None, "Invalid object"),
        ({"expand": "customer"}, "expand", None, "Invalid array"),
        ({"capture_method": "later"}, "capture_method", None, "must be one of"),
        ({"off_session": "perhaps"}, "off_session", None, "Invalid"),
        ({"automatic_payment_methods": "yes"}, "automatic_payment_methods", None, "Invalid object"),
        ({"automatic_payment_methods": {"on": "1"}}, "automatic_payment_methods[on]", "parameter_unknown", "unknown"),
        (
            {"automatic_payment_methods": {"allow_redirects": "never"}},
            "automatic_payment_methods[enabled]",
            "parameter_missing",
            "Missing required param",
        ),
        ({"metadata": {"k" * 41: "v"}}, "metadata", None, "40 characters"),
        ({"metadata": {"k": "v" * 501}}, "metadata[k]", None, "500 characters"),
        ({"metadata": {str(n): "v" for n in range(51)}}, "metadata", None, "50 keys"),
    ],
)
def test_an_ill_typed_parameter_is_refused_by_name(
    stripe_sdk: StripeClient, params: dict[str, Any], param: str, code: str | None, message: str
) -> None:
    terms: Any = {"amount": 2000, "currency": "usd"} | params

    with pytest.raises(InvalidRequestError, match=message) as refused:
        stripe_sdk.v1.payment_intents.create(terms)

    assert (refused.value.http_status, refused.value.param, refused.value.code) == (400, param, code)


def test_an_unknown_parameter_is_refused_over_the_wire(gateway_sdk: StripeClient) -> None:
    surprising: Any = {"amount": 2000, "currency": "usd", "amuont": 1}

    with pytest.raises(InvalidRequestError) as refused:
        gateway_sdk.v1.payment_intents.create(surprising)

    assert (refused.value.code, refused.value.param) == ("parameter_unknown", "amuont")


def test_an_empty_value_unsets_what_may_be_unset(gateway_sdk: StripeClient) -> None:
    customer = gateway_sdk.v1.customers.create(
        {"name": "Ada", "description": "first", "metadata": {"a": "1", "b": "2"}}
    )

    gateway_sdk.v1.customers.update(customer.id, {"metadata": {"a": ""}})
    cleared = gateway_sdk.v1.customers.update(customer.id, {"address": ""})
    emptied = gateway_sdk.v1.customers.update(customer.id, {"metadata": ""})

    assert cleared.address is None
    assert cleared.metadata is not None
    assert emptied.metadata is not None
    assert (cleared.metadata.to_dict(), emptied.metadata.to_dict()) == ({"b": "2"}, {})


def test_nothing_is_done_when_a_parameter_is_refused(stripe_sdk: StripeClient) -> None:
    customer = payer(stripe_sdk)
    ill_typed: Any = {"amount": "x", "currency": "usd", "customer": customer.customer.id}

    with pytest.raises(InvalidRequestError):
        stripe_sdk.v1.payment_intents.create(ill_typed)

    assert stripe_sdk.v1.payment_intents.list().data == []
