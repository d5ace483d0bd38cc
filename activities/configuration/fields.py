"""The fields that several tables of the documents have."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from models.currency import exponent_of
from models.gateway.amounts import gateway_minimum


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
