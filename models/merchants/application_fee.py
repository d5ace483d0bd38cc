"""What a platform takes of a payment on its merchant's own account (application fees): the rule, and what it comes to.

Source: Stripe's direct charges (`application_fee_amount`, docs.stripe.com/connect/direct-charges): a fee in the
currency of the payment, never more than the payment, given back pro rata with a refund that says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from models.gateway.amounts import charge_step
from models.money import Money

_AMOUNTS = ("fixed", "minimum", "maximum")


@dataclass(frozen=True)
class ApplicationFee:
    """A percentage and fixed amounts by currency, in minor units, with the least and the most that is taken.

    `is_refunded`: a refund gives the platform's part back, pro rata.
    """

    percent: Decimal
    fixed_minor: Mapping[str, int]
    minimum_minor: Mapping[str, int]
    maximum_minor: Mapping[str, int]
    is_refunded: bool

    def of(self, amount: Money) -> Money:
        """Return what is taken of an amount; duly.application_fee_of in the database says the same.

        The percentage is rounded half up to the steps in which the gateway takes the currency. The fixed part comes to
        it; the sum is kept between the least and the most, and never more than the amount.
        """
        code, minor = amount.currency, amount.amount_minor
        step = charge_step(code)
        share = int((minor * self.percent / (100 * step)).to_integral_value(ROUND_HALF_UP)) * step
        most = self.maximum_minor.get(code, minor)
        fee = min(most, share + self.fixed_minor.get(code, 0))
        return Money(min(minor, max(self.minimum_minor.get(code, 0), fee)), code)

    def problem(self, least_minor: Mapping[str, int]) -> str:
        """Return what misfits a provider, by field; `least_minor` is the least charge in each of its currencies."""
        for name in _AMOUNTS:
            for code, minor in self._by_currency(name).items():
                if code not in least_minor:
                    return f"{name}: {code} is not among the currencies of the provider"
                if minor % charge_step(code):
                    return f"{name}: the gateway takes {code} in steps of {Money(charge_step(code), code)}"
        for code, minor in least_minor.items():
            if why := self._misfit(code, Money(minor, code)):
                return why
        return ""

    def _misfit(self, code: str, least: Money) -> str:
        most = self.maximum_minor.get(code)
        if not self.percent and not self.fixed_minor.get(code) and not self.minimum_minor.get(code):
            return (
                f"fixed: nothing would be taken in {code}, which the provider takes: name a percent, or an amount of it"
            )
        if most is not None and self.minimum_minor.get(code, 0) > most:
            return f"minimum: in {code} it is more than the maximum"
        needed = max(self.minimum_minor.get(code, 0), min(self._uncapped(least), most or self._uncapped(least)))
        if needed > least.amount_minor:
            return f"fixed: of the least charge of {least} it would take {Money(needed, code)}"
        return ""

    def _uncapped(self, amount: Money) -> int:
        whole = ApplicationFee(self.percent, {}, {}, {}, self.is_refunded).of(amount)
        return whole.amount_minor + self.fixed_minor.get(amount.currency, 0)

    def _by_currency(self, name: str) -> Mapping[str, int]:
        return {"fixed": self.fixed_minor, "minimum": self.minimum_minor, "maximum": self.maximum_minor}[name]

    def stored(self) -> dict[str, Any]:
        """Return the rule as the database keeps it."""
        return {
            # Written one way, however it was given: 2.50 is 2.5.
            "percent": f"{self.percent.normalize():f}",
            "fixed_minor": dict(self.fixed_minor),
            "minimum_minor": dict(self.minimum_minor),
            "maximum_minor": dict(self.maximum_minor),
            "is_refunded": self.is_refunded,
        }

    def __str__(self) -> str:
        """Return it in words, for lists."""
        parts = [f"{self.percent.normalize():f} %"] if self.percent else []
        parts += [f"+ {Money(minor, code)}" for code, minor in sorted(self.fixed_minor.items())]
        for word, amounts in (("at least", self.minimum_minor), ("at most", self.maximum_minor)):
            parts += [f"{word} {Money(minor, code)}" for code, minor in sorted(amounts.items())]
        return ", ".join([" ".join(parts), "refunded" if self.is_refunded else "not refunded"])


def application_fee(stored: Mapping[str, Any]) -> ApplicationFee | None:
    """Return the rule that the database keeps; None where nothing is taken."""
    if not stored:
        return None
    return ApplicationFee(
        Decimal(stored["percent"]),
        stored["fixed_minor"],
        stored["minimum_minor"],
        stored["maximum_minor"],
        stored["is_refunded"],
    )
