"""The part of a provider that says what the platform takes of payments on its merchant's account."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, model_validator

from activities.configuration.fields import GatewayCurrency, minors_of
from activities.documents import DocumentPart
from models.merchants.application_fee import ApplicationFee

Amounts = dict[GatewayCurrency, str]
_AMOUNTS = ("fixed", "minimum", "maximum")


class ApplicationFeePart(DocumentPart):
    """What the platform takes of each payment, in percent and as amounts by currency, in major units.

    The percentage is rounded half up to the step in which the gateway takes the currency (its minor unit; 0.010 of a
    currency with three decimals), `fixed` comes to it, and the sum is at least `minimum`, at most `maximum`, and never
    more than the payment. `refunded`: a refund gives it back, pro rata.
    """

    percent: Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)] = Decimal(0)
    fixed: Amounts = {}
    minimum: Amounts = {}
    maximum: Amounts = {}
    refunded: bool

    @model_validator(mode="after")
    def _are_amounts(self) -> "ApplicationFeePart":
        for name in _AMOUNTS:
            for code, minor in minors_of(name, getattr(self, name)).items():
                if minor < 1:
                    raise ValueError(f"{name}: {code} is more than nothing, or left out")
        return self

    @property
    def rule(self) -> ApplicationFee:
        """The rule in minor units."""
        fixed, minimum, maximum = (minors_of(name, getattr(self, name)) for name in _AMOUNTS)
        return ApplicationFee(self.percent, fixed, minimum, maximum, is_refunded=self.refunded)
