"""The fields that several tables of the documents have."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from models.currency import exponent_of
from models.gateway.amounts import gateway_minimum
from models.money import AMOUNT_MINOR_MAX, Money, MoneyError


def _known_currency(code: str) -> str:
    exponent_of(code)
    return code


def _gateway_currency(code: str) -> str:
    gateway_minimum(code)
    return code


Id = Annotated[str, Field(pattern=r"^[!-~]{1,64}$")]
AccountId = Annotated[str, Field(pattern=r"^[!-~]{1,64}$")]
SlugId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
TypeId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
MethodId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
DefinitionId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Currency = Annotated[str, AfterValidator(_known_currency)]
GatewayCurrency = Annotated[str, AfterValidator(_gateway_currency)]
State = Literal["effective", "not_effective"]


def minor_of(field: str, text: str, code: str) -> int:
    """Return an amount of a field in minor units. Raises ValueError, naming the field, for none, or one too large."""
    try:
        minor = Money.parse(text, code).amount_minor
    except MoneyError as error:
        raise ValueError(f"{field}: {error}") from None
    if abs(minor) > AMOUNT_MINOR_MAX:
        raise ValueError(f"{field}: is at most {Money(AMOUNT_MINOR_MAX, code)}")
    return minor


def minors_of(field: str, amounts: Mapping[str, str]) -> dict[str, int]:
    """Return amounts by currency in minor units. Raises ValueError, naming field and currency, for what is none."""
    return {code: minor_of(f"{field}.{code}", text, code) for code, text in sorted(amounts.items())}
